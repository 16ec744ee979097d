// The program shows and changes what is cached: single values, many by pattern, figures, the largest keys, changes as they happen.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { startRedis, waitFor } from './lib.mjs';
import { checks, interruptInFirstSlice, PROGRAM, serve, storychain, tempFolder } from './program.mjs';

const OK = 0, FAILED = 1, USAGE = 2, NOT_FOUND = 3, UNREACHABLE = 4, REFUSED = 5;
let server, redis;
before(async () => ({ redis } = server = await startRedis()));
after(() => server.stop());
beforeEach(() => redis.flushall());

const run = (...args) => storychain(['cache', ...args, '--redis-url', server.url]);
const { expectJson, expectFailure } = checks(run);

const many = (count, name) => redis.mset(Array.from({ length: count }, (_, i) => [`${name}:${i}`, 'value']).flat());

test('a value is set, shown and removed', async () => {
  assert.equal((await run('set', 'sc:a', '{"n":[1,2]}', '--ttl', '5m')).stdout, 'sc:a: 11 bytes stored\n');
  const ttl = await redis.pttl('sc:a');
  assert.ok(ttl > 240_000 && ttl <= 300_000, `${ttl}`);
  const shown = await expectJson('get', 'sc:a');
  assert.deepEqual([shown.key, shown.size, shown.value], ['sc:a', 11, { n: [1, 2] }]);
  assert.equal((await run('get', 'sc:a')).stdout, '{"n":[1,2]}', 'the value alone');
  assert.deepEqual(await expectJson('set', 'sc:b', 'text'), { key: 'sc:b', size: 4, ttlMs: 3_600_000 });
  assert.deepEqual(await expectJson('del', 'sc:a', 'sc:b', 'sc:nothing'), { removed: 2 });
  assert.equal(await redis.dbsize(), 0);
  await expectFailure(NOT_FOUND, /nothing is cached at "sc:a"/, 'get', 'sc:a');
  await expectFailure(USAGE, /--ttl/, 'set', 'sc:a', 'v', '--ttl', 'soon');
});

test('a value comes from stdin, whatever its bytes', async () => {
  const bytes = Buffer.from([0, 255, 10, 0, 13]);
  const child = spawn(PROGRAM, ['cache', 'set', 'sc:bytes', '-', '--redis-url', server.url], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(bytes);
  assert.equal((await once(child, 'exit'))[0], OK);
  const stored = await redis.getBuffer('sc:bytes');
  assert.deepEqual(stored.subarray(-bytes.length), bytes);
});

test('an empty value is told from null, and from none', async () => {
  for (const [text, value] of [['', ''], ['null', null], ['0', 0], ['false', false], ['""', '']]) {
    await run('set', 'sc:a', text);
    const shown = await expectJson('get', 'sc:a');
    assert.deepEqual([shown.value, shown.size], [value, text.length]);
  }
  assert.equal((await run('set', 'sc:a', 'v', '--ttl', '0')).stdout, 'sc:a: removed\n');
  await expectFailure(NOT_FOUND, /nothing is cached at "sc:a"/, 'get', 'sc:a');
});

test('what can not be read is not called missing', async () => {
  await redis.lpush('list', 'x');
  await expectFailure(FAILED, /"list" can't be read: WRONGTYPE/, 'get', 'list');
});

test('a value of another program is shown as it is', async () => {
  await redis.set('theirs', '{"plain":true}');
  const shown = await expectJson('get', 'theirs');
  assert.deepEqual([shown.value, shown.ageMs], [{ plain: true }, -1]);
});

test('what is cached as not there is said so', async () => {
  await redis.set('sc:none', Buffer.concat([Buffer.from([0xff]), Buffer.from('SC\u0001N\u0000\u0010\u0000\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000')]));
  await expectFailure(NOT_FOUND, /it is cached that there is nothing for "sc:none"/, 'get', 'sc:none');
  const shown = await expectJson('get', 'sc:none');
  assert.deepEqual([shown.none, shown.value, shown.size], [true, null, 0]);
});

test('invalidate removes by key, and by pattern only with --yes', async () => {
  await many(2500, 'sc:story');
  await many(100, 'other');
  assert.equal((await run('invalidate', 'sc:story:0', 'sc:story:1')).stdout, '2 values removed\n');
  await expectFailure(REFUSED, /2498 keys match, of whatever program; add --yes to remove them/, 'invalidate', '--pattern', 'sc:story:*');
  assert.equal(await redis.dbsize(), 2598);
  assert.deepEqual(await expectJson('invalidate', '--pattern', 'sc:story:*', 'other:1?', '--yes'), { removed: 2508 });
  assert.equal(await redis.dbsize(), 90);
  const stats = await redis.info('commandstats');
  assert.doesNotMatch(stats, /cmdstat_keys:/);
});

test('invalidate removes all values of a tag, or lets them expire', async () => {
  assert.deepEqual(await expectJson('invalidate', '--tag', 'story:1', 'story:2'), { removedTags: 2 });
  const clock = () => redis.get('sc-cache:clock').then(Number);
  const before = await clock();
  assert.ok(before > 0, 'the tags\' clock has moved');
  assert.equal((await run('invalidate', '--tag', '--expire', 'story:1')).stdout, 'all values of 1 tag expired\n');
  assert.ok((await clock()) > before);
  await run('set', 'sc:a', 'v');
  assert.equal((await run('invalidate', '--expire', 'sc:a')).stdout, '1 key expired\n');
  assert.equal(await redis.exists('sc:a'), 0, 'it had no grace');
  await expectFailure(USAGE, /--pattern goes without --tag/, 'invalidate', '--pattern', '--tag', 'x');
});

test('invalidate by pattern stops at Ctrl-C, between two slices', async () => {
  await many(50_000, 'sc:story');
  let stderr = '', ended;
  await interruptInFirstSlice(redis, () => {
    const child = spawn(PROGRAM, ['cache', 'invalidate', '--pattern', 'sc:story:*', '--yes', '--redis-url', server.url], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (d) => (stderr += d));
    ended = once(child, 'close');
    return child;
  });
  assert.equal((await ended)[0], FAILED, stderr);
  assert.match(stderr, /stopped; the same command removes the rest/);
  const left = await redis.dbsize();
  assert.ok(left > 0 && left < 50_000, `${left}`);
});

test('top shows the largest keys that match', async () => {
  await many(700, 'sc:small');
  await redis.set('sc:large', 'x'.repeat(50_000), 'PX', 60_000);
  await redis.rpush('sc:list', ...Array.from({ length: 500 }, () => 'an element of a list'));
  await redis.set('other', 'x'.repeat(90_000));

  const top = await expectJson('top', '--limit', '3');
  assert.ok(top.looked >= 702); // SCAN may give a key twice
  assert.deepEqual(top.keys.map((k) => k.key).slice(0, 2), ['sc:large', 'sc:list']);
  assert.ok(top.keys[0].bytes > 50_000 && top.keys[0].bytes < 60_000);
  assert.ok(top.keys[0].ttlMs > 0 && top.keys[1].ttlMs === -1);
  assert.equal(top.keys.length, 3);
  assert.equal((await expectJson('top', '*', '--limit', '1')).keys[0].key, 'other');
  assert.match((await run('top')).stdout, /^KEY +BYTES +ENDS\nsc:large +\d+ +in /);
  assert.match((await run('top', '--look', '1')).stdout, /Of \d+ keys that were looked at/);
  assert.equal((await run('top', 'nothing:*')).stdout, 'No key matches.\n');
});

test('top shows what is read most, where Redis counts that', async () => {
  await redis.set('sc:cold', '1');
  await expectFailure(FAILED, /only with a maxmemory-policy of LFU/, 'top', '--reads');
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lfu');
  await redis.flushall(); // what was there is counted by another rule
  await redis.mset('sc:cold', 'a', 'sc:hot', 'b'); // small numbers would be one object
  for (let i = 0; i < 2000; i++) await redis.get('sc:hot');
  const top = await expectJson('top', '--reads');
  assert.equal(top.keys[0].key, 'sc:hot');
  assert.ok(top.keys[0].reads > 5);
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
});

test('stats has the figures of Redis and of the running server', async (t) => {
  await redis.set('sc:a', '1');
  await redis.get('sc:a');
  const state = await tempFolder(t);
  const site = await serve(t, state, ['--redis-url', server.url]);
  const listen = new URL(site.url).host;
  await waitFor('a hit', async () => {
    await fetch(`${site.url}/api/stories`);
    return (await expectJson('stats', '--listen', listen)).server.hits >= 1;
  });

  const both = await expectJson('stats', '--listen', listen);
  assert.ok(both.redis.used_memory > 0 && both.redis.keyspace_hits > 0 && both.redis.hit_percent > 0, JSON.stringify(both.redis));
  assert.ok(both.server.loads >= 1 && both.server.hits >= 1 && both.server.hit_percent > 0, JSON.stringify(both.server));
  assert.match((await run('stats', '--listen', listen)).stdout, /^server +hits +\d+$/m);
  await site.stop();

  const alone = await run('stats', '--listen', listen);
  assert.equal(alone.code, OK);
  assert.match(alone.stdout, /^redis +used_memory +\d+$/m);
  assert.match(alone.stderr, /No StoryChain answers at http:\/\/127\.0\.0\.1:\d+\/metrics/);
});

// Nothing listens at port 1: unless said otherwise the reads are those of Redis.
function watch(t, ...args) {
  const child = spawn(PROGRAM, ['cache', 'watch', ...args, ...(args.includes('--listen') ? [] : ['--listen', '127.0.0.1:1']), '--redis-url', server.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  const own = { child, text: '', ended: once(child, 'exit') };
  child.stdout.on('data', (d) => (own.text += d));
  t.after(() => child.kill('SIGKILL'));
  return own;
}

test('watch shows keys that change and reads that hit, until Ctrl-C', async (t) => {
  const own = watch(t, '--every', '100ms');
  await waitFor('it watches', () => own.text.includes('nothing was read'));
  await redis.set('sc:a', '1');
  await redis.set('other', '1');
  await redis.get('sc:a');
  await redis.get('sc:\u001b[31m');
  await waitFor('the change', () => own.text.includes('changed "sc:a"\n'));
  await waitFor('the reads', () => /[1-9][\d.]* % of \d+ reads hit/.test(own.text));
  await redis.del('sc:a');
  await waitFor('the removal', () => own.text.split('changed "sc:a"\n').length === 3);
  assert.doesNotMatch(own.text, /"other"/);
  own.child.kill('SIGINT');
  assert.equal((await own.ended)[0], OK);
});

test('watch counts the reads of the running server', async (t) => {
  const site = await serve(t, await tempFolder(t), ['--redis-url', server.url]);
  const own = watch(t, '--every', '100ms', '--listen', new URL(site.url).host, '--quiet');
  await waitFor('it watches', () => own.text.includes('nothing was read'));
  await waitFor('a hit of the server', async () => {
    await fetch(`${site.url}/api/stories`);
    return /[1-9][\d.]* % of \d+ reads hit/.test(own.text);
  });
  await site.stop();
  assert.equal((await own.ended)[0], UNREACHABLE);
});

test('watch as JSON, of all keys, or the counts alone', async (t) => {
  const all = watch(t, '', '--json', '--every', '100ms'), quiet = watch(t, '--quiet', '--json', '--every', '100ms');
  await waitFor('both watch', () => all.text && quiet.text);
  await redis.set('sc:a', '1');
  await redis.set('other\u0001', '1');
  await waitFor('the changes', () => all.text.includes('{"changed":"other\\u0001"}\n') && all.text.includes('{"changed":"sc:a"}\n'));
  await waitFor('their count', () => /"changes":1}/.test(quiet.text));
  for (const line of quiet.text.trim().split('\n')) assert.deepEqual(Object.keys(JSON.parse(line)), ['hits', 'misses', 'changes']);
  await redis.flushall();
  await waitFor('everything', () => all.text.includes('{"changed":null}\n'));
});

test('without a Redis each says so, and leaves', async (t) => {
  const state = join(await tempFolder(t), 'none');
  for (const args of [['get', 'k'], ['set', 'k', 'v'], ['del', 'k'], ['invalidate', 'k'], ['stats'], ['top'], ['watch']]) {
    const got = await storychain(['cache', ...args, '--redis-url', 'redis://127.0.0.1:1', '--state-dir', state]);
    assert.equal(got.code, UNREACHABLE, `${args}: ${JSON.stringify(got)}`);
    assert.match(got.stderr, /127\.0\.0\.1/);
  }
});
