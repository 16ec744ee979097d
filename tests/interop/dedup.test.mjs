// Deduplication: the same calls by BullMQ and by us leave the same data, in all modes; and each side honours the other's owners.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, QueueEvents, Worker } from 'bullmq';
import { alike, closing, dump, startPeer, startRedis, waitFor } from './lib.mjs';

let server, ours;

before(async () => {
  server = await startRedis();
  ours = startPeer(server.url);
});

after(async () => {
  await ours.stop();
  await server.stop();
});

const T = 1_700_000_000_000;
const job = (deduplication, opts = {}, data = {}) => ({ name: 'n', data, opts: { deduplication, ...opts } });

/** Takes jobs step by step: an object is added, an array is added as a bulk, a function (prefix) prepares both sides. */
async function assertSameState(t, name, steps) {
  const queue = closing(t, new Queue(name, { connection: server.connection, prefix: 'node' }));
  await queue.waitUntilReady();
  await ours.open({ queue: name, prefix: 'c' });
  await waitFor('both metas', async () => (await server.redis.exists(`node:${name}:meta`, `c:${name}:meta`)) === 2);
  for (const step of steps) {
    if (typeof step === 'function') {
      await step(`node:${name}:`);
      await step(`c:${name}:`);
    } else if (Array.isArray(step)) {
      const theirs = (await queue.addBulk(step)).map(({ id }) => id);
      assert.deepEqual(await ours.addBulk({ queue: name, prefix: 'c', jobs: step }), theirs);
    } else {
      const { id } = await queue.add(step.name, step.data, step.opts);
      assert.equal(await ours.add({ queue: name, prefix: 'c', ...step }), id);
    }
    assert.deepEqual(await dump(server.redis, 'c:' + name, alike('c')), await dump(server.redis, 'node:' + name, alike('node')));
  }
}

const late = { delay: 60_000, timestamp: T };
const later = { delay: 90_000, timestamp: T };
const activate = (id) => async (base) => {
  await server.redis.lrem(base + 'wait', 0, id);
  await server.redis.lpush(base + 'active', id);
};

test('simple: the first one stays', (t) =>
  assertSameState(t, 'simple', [job({ id: 'a' }), job({ id: 'a' }, { priority: 3 }), job({ id: 'b' }, late), job({ id: 'b' }), job({ id: 'a' }, { jobId: 'own' }), job({ id: 'ünï:"x"' })]));

test('throttle: until its time is over', (t) =>
  assertSameState(t, 'throttle', [job({ id: 'a', ttl: 60_000 }), job({ id: 'a', ttl: 60_000 }), (base) => server.redis.del(base + 'de:a'), job({ id: 'a', ttl: 60_000 })]));

test('extend: the time starts anew', async (t) => {
  await assertSameState(t, 'extend', [
    job({ id: 'a', ttl: 600_000, extend: true }),
    (base) => server.redis.pexpire(base + 'de:a', 60_000),
    job({ id: 'a', ttl: 600_000, extend: true }),
    job({ id: 'b', extend: true }),
    job({ id: 'b', extend: true }),
  ]);
  for (const prefix of ['node', 'c']) assert.ok((await server.redis.pttl(`${prefix}:extend:de:a`)) > 300_000, prefix);
});

test('replace: a delayed owner makes way, another stays', async (t) => {
  await assertSameState(t, 'replace', [
    job({ id: 'a', ttl: 600_000, replace: true }, late),
    (base) => server.redis.pexpire(base + 'de:a', 60_000),
    job({ id: 'a', ttl: 600_000, replace: true }, late, { newer: 1 }),
    job({ id: 'b', replace: true }, late),
    job({ id: 'b', replace: true }, later),
    job({ id: 'b', replace: true }),
    job({ id: 'b', replace: true }),
    job({ id: 'b', replace: true }, later),
    job({ id: 'c', ttl: 600_000, replace: true, extend: true }, late),
    (base) => server.redis.pexpire(base + 'de:c', 60_000),
    job({ id: 'c', ttl: 600_000, replace: true, extend: true }, { ...late, priority: 2 }),
  ]);
  for (const prefix of ['node', 'c']) {
    assert.ok((await server.redis.pttl(`${prefix}:replace:de:a`)) <= 60_000, 'the time goes on');
    assert.ok((await server.redis.pttl(`${prefix}:replace:de:c`)) > 300_000, 'the time starts anew');
  }
});

test('reschedule: a delayed owner gets the new delay', (t) =>
  assertSameState(t, 'reschedule', [
    job({ id: 'a', reschedule: true }, late),
    job({ id: 'a', reschedule: true }, later),
    job({ id: 'a', reschedule: true, ttl: 60_000 }, late),
    job({ id: 'a', reschedule: true }, { timestamp: T }),
    job({ id: 'b', reschedule: true, ttl: 60_000, extend: true }),
    job({ id: 'b', reschedule: true, ttl: 60_000, extend: true }, late),
    job({ id: 'a', reschedule: true, replace: true }, later),
  ]));

test('keepLastIfActive: what came last while the owner runs is kept', (t) =>
  assertSameState(t, 'keep-last', [
    job({ id: 'a', keepLastIfActive: true, ttl: 60_000 }),
    job({ id: 'a', keepLastIfActive: true }),
    activate('1'),
    job({ id: 'a', keepLastIfActive: true }, { priority: 2, attempts: 3 }, { second: true }),
    job({ id: 'a', keepLastIfActive: true, replace: true }, { jobId: 'own' }, { third: true }),
    job({ id: 'a', keepLastIfActive: true, ttl: 60_000, extend: true }, late, { fourth: true }),
    job({ id: 'b', ttl: 60_000 }),
    activate('6'),
    job({ id: 'b', keepLastIfActive: true, reschedule: true }, late),
    job({ id: 'c', keepLastIfActive: true, replace: true, ttl: 60_000 }, late),
    job({ id: 'c', keepLastIfActive: true, replace: true, ttl: 60_000 }, later),
    job({ id: 'd', replace: true, ttl: 60_000 }, late),
    job({ id: 'd', keepLastIfActive: true, replace: true, ttl: 60_000 }, later),
  ]));

test('a key whose owner is gone is taken over, unless it ends by itself', (t) =>
  assertSameState(t, 'stale', [
    async (base) => {
      await server.redis.set(base + 'de:a', 'gone');
      await server.redis.hset(base + 'dn:a', 'name', 'left over');
      await server.redis.set(base + 'de:b', 'gone', 'PX', 60_000);
      await server.redis.set(base + 'de:c', 'gone');
      await server.redis.set(base + 'de:d', 'gone');
      await server.redis.set(base + 'de:e', 'gone');
    },
    job({ id: 'a' }),
    job({ id: 'b' }),
    job({ id: 'c', replace: true, ttl: 60_000 }, late),
    job({ id: 'd', ttl: 60_000, extend: true }),
    job({ id: 'e', keepLastIfActive: true, ttl: 60_000 }),
  ]));

test('in one bulk, with jobs of all kinds between', (t) =>
  assertSameState(t, 'bulk', [
    [
      { name: 'plain', data: {} },
      job({ id: 'a', replace: true }, late),
      { name: 'delayed', data: {}, opts: late },
      job({ id: 'a', replace: true }, late),
      job({ id: 'e', replace: true }, { delay: 45_000, timestamp: T }),
      job({ id: 'e', replace: true }, { delay: 45_000, timestamp: T }),
      job({ id: 'b' }),
      job({ id: 'b' }),
      { name: 'own', data: {}, opts: { jobId: 'own' } },
      job({ id: 'b' }, { jobId: 'mine' }),
      job({ id: 'c' }, { jobId: 'own' }),
      { name: 'low', data: {}, opts: { priority: 5 } },
      job({ id: 'd', reschedule: true }, late),
      job({ id: 'd', reschedule: true }, later),
      { name: 'plain', data: {} },
    ],
    [job({ id: 'a', replace: true }, later), job({ id: 'd' })],
  ]));

test('what BullMQ refuses, we refuse', async (t) => {
  const queue = closing(t, new Queue('refused', { connection: server.connection }));
  for (const deduplication of [{ ttl: 5 }, { id: '', replace: true }]) {
    await assert.rejects(queue.add('n', {}, { deduplication }));
    await assert.rejects(ours.add({ queue: 'refused', ...job(deduplication) }), { code: 'SC_EINVAL' });
  }
  assert.equal(await server.redis.exists('bull:refused:id'), 0);
});

test("each side's adds respect the other's owner", async (t) => {
  const queue = closing(t, new Queue('mixed', { connection: server.connection }));
  const theirs = await queue.add('n', {}, { deduplication: { id: 'a' } });
  assert.equal(await ours.add({ queue: 'mixed', ...job({ id: 'a' }) }), theirs.id);
  const mine = await ours.add({ queue: 'mixed', ...job({ id: 'b' }) });
  assert.equal((await queue.add('n', {}, { deduplication: { id: 'b' } })).id, mine);
  assert.equal((await queue.getJob(mine)).deduplicationId, 'b');
});

test('an owner is found and its id freed', async (t) => {
  const queue = closing(t, new Queue('freed', { connection: server.connection }));
  const id = await ours.add({ queue: 'freed', ...job({ id: 'a' }) });
  assert.equal(await queue.getDeduplicationJobId('a'), id);
  assert.equal(await ours.getDedupJob({ queue: 'freed', dedupId: 'a' }), id);
  assert.equal(await ours.removeDedup({ queue: 'freed', dedupId: 'a', jobId: 'another' }), false);
  assert.equal(await ours.removeDedup({ queue: 'freed', dedupId: 'a', jobId: id }), true);
  assert.equal(await ours.removeDedup({ queue: 'freed', dedupId: 'a' }), false);
  await assert.rejects(ours.getDedupJob({ queue: 'freed', dedupId: 'a' }), { code: 'SC_ENOJOB' });
  await queue.add('n', {}, { deduplication: { id: 'a' } });
  assert.equal(await ours.removeDedup({ queue: 'freed', dedupId: 'a' }), true);
  assert.equal(await queue.getDeduplicationJobId('a'), null);
});

test("BullMQ's QueueEvents hears of our deduplicated jobs", async (t) => {
  const seen = [];
  const events = closing(t, new QueueEvents('told', { connection: server.connection, lastEventId: '0-0' }));
  events.on('deduplicated', (args) => seen.push(args));
  await events.waitUntilReady();
  await ours.addBulk({ queue: 'told', jobs: [job({ id: 'a' }), job({ id: 'a' }), job({ id: 'b', replace: true }, late), job({ id: 'b', replace: true }, late)] });
  await waitFor('both', () => seen.length === 2);
  assert.deepEqual(seen, [
    { jobId: '1', deduplicationId: 'a', deduplicatedJobId: '2' },
    { jobId: '4', deduplicationId: 'b', deduplicatedJobId: '3' },
  ]);
});

test("what we add while BullMQ's Worker runs the owner runs after it", async (t) => {
  const opts = { deduplication: { id: 'a', keepLastIfActive: true } };
  const ran = [];
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  const worker = closing(
    t,
    new Worker('after', async ({ data }) => {
      ran.push(data.i);
      if (data.i === 1) await gate;
    }, { connection: server.connection }),
  );
  await worker.waitUntilReady();
  const add = (i) => ours.add({ queue: 'after', name: 'n', data: { i }, opts });
  await add(1);
  await waitFor('the owner to run', () => ran.length === 1);
  assert.equal(await add(2), '1');
  assert.equal(await add(3), '1');
  go();
  await waitFor('the last one', () => ran.includes(3));
  assert.deepEqual(ran, [1, 3]);
  await waitFor('its id to be free', async () => !(await server.redis.exists('bull:after:de:a')));
});
