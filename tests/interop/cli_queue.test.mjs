// The program steers queues that BullMQ made: jobs added from the shell, many jobs at once, settings. Exit codes as `storychain help` says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { closing, startRedis, waitFor } from './lib.mjs';
import { checks, interruptInFirstSlice, PROGRAM, storychain } from './program.mjs';

const OK = 0, FAILED = 1, USAGE = 2, NOT_FOUND = 3, UNREACHABLE = 4, REFUSED = 5;
let server;
before(async () => (server = await startRedis()));
after(() => server.stop());

const run = (...args) => storychain([...args, '--redis-url', server.url]);
const { expectJson, expectFailure } = checks(run);

function open(t, name) {
  return closing(t, new Queue(name, { connection: server.connection }));
}

test("a job of the shell is run by BullMQ's Worker, with its options", async (t) => {
  const queue = open(t, 'shell');
  const added = await expectJson('enqueue', 'shell', 'welcome', '{"to":"ada"}', '--attempts', '3', '--backoff', '1s', '--priority', '2');
  assert.deepEqual(added, { queue: 'shell', id: '1', done: 'added' });
  const job = await queue.getJob('1');
  assert.deepEqual([job.name, job.data, job.opts.attempts, job.opts.backoff, job.priority], ['welcome', { to: 'ada' }, 3, { type: 'exponential', delay: 1000 }, 2]);
  assert.equal((await run('enqueue', 'shell', 'later', '--delay', '1h', '--id', 'mine')).stdout, 'job mine of shell is added\n');
  assert.equal(await (await queue.getJob('mine')).getState(), 'delayed');

  const worker = closing(t, new Worker('shell', async (running) => (await running.log('row \u001b[31m1'), await running.log('row 2'), running.data.to), { connection: server.connection }));
  await waitFor('the job', async () => (await queue.getCompletedCount()) === 1);
  await worker.close();

  assert.deepEqual(await expectJson('job', 'logs', 'shell', '1'), ['row \u001b[31m1', 'row 2']);
  assert.equal((await run('job', 'logs', 'shell', '1', '--from', '0', '--limit', '1')).stdout, 'row ?[31m1\n');
  assert.equal((await run('job', 'logs', 'shell', 'mine')).stdout, '');
  await expectFailure(NOT_FOUND, /the queue shell has no job 99/, 'job', 'logs', 'shell', '99');
});

test('data comes from stdin, and is changed', async (t) => {
  const queue = open(t, 'data');
  const feed = async (args, text) => {
    const child = spawn(PROGRAM, [...args, '--redis-url', server.url], { stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.end(text);
    return (await once(child, 'exit'))[0];
  };
  assert.equal(await feed(['enqueue', 'data', 'job', '-'], '{"n":[1,2]}'), OK);
  assert.deepEqual((await queue.getJob('1')).data, { n: [1, 2] });
  assert.deepEqual(await expectJson('job', 'update', 'data', '1', '{"n":3}'), { queue: 'data', id: '1', done: 'updated' });
  assert.deepEqual((await queue.getJob('1')).data, { n: 3 });
  await expectFailure(USAGE, /JSON|expected|found/, 'job', 'update', 'data', '1', '{');
  await expectFailure(NOT_FOUND, /the queue data has no job 2/, 'job', 'update', 'data', '2', '{}');
  await expectFailure(USAGE, /.+/, 'enqueue', 'data', 'job', '{"a":');
  await expectFailure(USAGE, /number/, 'enqueue', 'data', 'job', '{}', '--id', '5');
  await expectFailure(USAGE, /--delay: "soon" is not a time/, 'enqueue', 'data', 'job', '--delay', 'soon');
  assert.equal(await queue.count(), 1);
});

test('settings are shown, set and taken away, and BullMQ sees them', async (t) => {
  const queue = open(t, 'settings');
  await queue.waitUntilReady();
  await waitFor('meta', () => server.redis.exists('bull:settings:meta'));
  assert.deepEqual(await expectJson('queue', 'concurrency', 'settings'), { queue: 'settings', concurrency: null });
  assert.deepEqual(await expectJson('queue', 'concurrency', 'settings', '7'), { queue: 'settings', concurrency: 7 });
  assert.equal(await queue.getGlobalConcurrency(), 7);
  assert.deepEqual(await expectJson('queue', 'rate-limit', 'settings', '100', '1m'), { queue: 'settings', rate_limit: { max: 100, duration_ms: 60_000 } });
  assert.deepEqual(await queue.getGlobalRateLimit(), { max: 100, duration: 60_000 });
  const shown = await expectJson('queue', 'show', 'settings');
  assert.deepEqual([shown.name, shown.concurrency, shown.rate_limit.max, shown.version, shown.limited_for_ms], ['settings', 7, 100, 'bullmq:6.7.0', 0]);
  assert.match((await run('queue', 'show', 'settings')).stdout, /^name +settings\nwaiting +0\n(.*\n)*concurrency +7 jobs at once/);
  assert.deepEqual(await expectJson('queue', 'concurrency', 'settings', '--remove'), { queue: 'settings', concurrency: null });
  assert.deepEqual(await expectJson('queue', 'rate-limit', 'settings', '--remove'), { queue: 'settings', rate_limit: null });
  assert.equal(await queue.getGlobalConcurrency(), null);
  assert.equal(await queue.getGlobalRateLimit(), null);
  await expectFailure(USAGE, /N: "0" is not a whole number/, 'queue', 'concurrency', 'settings', '0');
  await expectFailure(USAGE, /two words/, 'queue', 'rate-limit', 'settings', '5');
  await expectFailure(USAGE, /TIME: "x"/, 'queue', 'rate-limit', 'settings', '5', 'x');
  await expectFailure(USAGE, /--remove goes without/, 'queue', 'concurrency', 'settings', '5', '--remove');
});

async function fill(t, name) {
  const queue = open(t, name);
  await queue.addBulk([
    ...Array.from({ length: 5 }, () => ({ name: 'job', data: {} })),
    ...Array.from({ length: 3 }, () => ({ name: 'job', data: {}, opts: { delay: 3_600_000 } })),
    { name: 'job', data: {}, opts: { priority: 4 } },
  ]);
  return queue;
}

test('what removes says how much it would, and needs --yes', async (t) => {
  const queue = await fill(t, 'sweep');
  await expectFailure(REFUSED, /sweep has 6 jobs that wait; add --yes/, 'queue', 'drain', 'sweep');
  await expectFailure(REFUSED, /sweep has 9 jobs/, 'queue', 'drain', 'sweep', '--delayed');
  await expectFailure(REFUSED, /sweep has 3 delayed jobs/, 'queue', 'clean', 'sweep', 'delayed');
  await expectFailure(REFUSED, /sweep has 9 jobs, schedules/, 'queue', 'obliterate', 'sweep');
  await expectFailure(REFUSED, /all events of sweep but the newest 2/, 'queue', 'trim-events', 'sweep', '2');
  assert.equal(await queue.count(), 9);

  assert.deepEqual(await expectJson('queue', 'clean', 'sweep', 'delayed', '--older-than', '1h', '--yes'), { queue: 'sweep', removed: 0 });
  assert.deepEqual(await expectJson('queue', 'clean', 'sweep', 'delayed', '--limit', '1', '--yes'), { queue: 'sweep', removed: 1 });
  assert.equal((await run('queue', 'drain', 'sweep', '--yes')).stdout, 'sweep: 6 jobs removed\n');
  assert.deepEqual(await expectJson('queue', 'promote', 'sweep', '--limit', '1'), { queue: 'sweep', promoted: 1 });
  assert.equal(await queue.getWaitingCount(), 1);
  assert.ok((await expectJson('queue', 'trim-events', 'sweep', '0', '--yes')).removed > 5);
  assert.deepEqual(await expectJson('queue', 'obliterate', 'sweep', '--yes'), { queue: 'sweep', removed: 2 });
  assert.deepEqual(await server.redis.keys('bull:sweep:*'), []);
  await expectFailure(USAGE, /"tired" is none of/, 'queue', 'clean', 'sweep', 'tired', '--yes');
  for (const verb of ['show', 'drain', 'promote', 'retry', 'obliterate', 'concurrency', 'rate-limit'])
    await expectFailure(NOT_FOUND, /there is no queue "sweep"/, 'queue', verb, 'sweep');
  assert.equal((await storychain(['queue', 'drain', 'sweep', '--yes', '--redis-url', 'redis://127.0.0.1:1'])).code, UNREACHABLE);
});

test('failed jobs run again, and active ones keep a queue from being obliterated', async (t) => {
  const queue = await fill(t, 'failing');
  const worker = closing(t, new Worker('failing', async () => { throw new Error('no'); }, { connection: server.connection }));
  await waitFor('failures', async () => (await queue.getFailedCount()) === 6);
  await worker.close();
  assert.deepEqual(await expectJson('queue', 'retry', 'failing', '--limit', '2'), { queue: 'failing', retried: 2 });
  assert.deepEqual(await expectJson('queue', 'retry', 'failing'), { queue: 'failing', retried: 4 });
  await expectFailure(USAGE, /neither failed nor completed/, 'queue', 'retry', 'failing', '--state', 'active');

  await server.redis.lpush('bull:failing:active', 'x');
  await expectFailure(REFUSED, /active jobs, and is paused now; --force/, 'queue', 'obliterate', 'failing', '--yes');
  assert.equal((await run('queue', 'obliterate', 'failing', '--yes', '--force')).code, OK);
});

const MANY = 150_000;

async function fillFailed(name) {
  await server.redis.hset(`bull:${name}:meta`, 'opts.maxLenEvents', '100');
  for (let from = 1; from <= MANY; from += 10_000)
    await server.redis.eval(
      `for i = ${from}, ${from + 9999} do redis.call('HSET', KEYS[1] .. i, 'name', 'n', 'data', '{}', 'opts', '{}', 'failedReason', 'why') redis.call('ZADD', KEYS[1] .. 'failed', i, i) end`,
      1,
      `bull:${name}:`,
    );
}

test('Ctrl-C stops between two slices, and the same command goes on', async () => {
  await fillFailed('long');
  let said = '', end;
  await interruptInFirstSlice(server.redis, () => {
    const child = spawn(PROGRAM, ['queue', 'retry', 'long', '--redis-url', server.url], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (d) => (said += d));
    end = once(child, 'close');
    return child;
  });
  assert.deepEqual(await end, [FAILED, null]);
  const [, done] = said.match(/^storychain queue retry: stopped after (\d+) jobs; the same command goes on from there\n$/);
  assert.ok(Number(done) > 0);
  assert.equal(await server.redis.llen('bull:long:wait'), Number(done));
  assert.deepEqual(await expectJson('queue', 'retry', 'long'), { queue: 'long', retried: MANY - Number(done) });
});

test('on a terminal it shows how far it is', async (t) => {
  await fillFailed('shown');
  const child = spawn('script', ['-qec', `"${PROGRAM}" queue retry shown --redis-url "${server.url}"`, '/dev/null'], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (await Promise.race([once(child, 'error'), once(child, 'spawn')]).then(([error]) => error)) return t.skip('there is no script(1)');
  let said = '';
  child.stdout.on('data', (d) => (said += d));
  await once(child, 'close');
  assert.match(said, /\r250 jobs retried \r500 jobs retried /);
  assert.match(said, new RegExp(`\r\u001b\\[Kshown: ${MANY} jobs retried\r\n$`));
});
