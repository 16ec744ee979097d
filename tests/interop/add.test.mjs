// We add, BullMQ reads and works; and both leave the same data in Redis.
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

/** The same jobs added by Node under prefix `node` and by us under prefix `c`; then all keys must be equal. */
async function assertSameState(t, name, jobs, { defaults, prepare, oneByOne } = {}) {
  const queue = closing(t, new Queue(name, { connection: server.connection, prefix: 'node', defaultJobOptions: defaults }));
  await queue.waitUntilReady();
  await ours.open({ queue: name, prefix: 'c', defaultJobOptions: defaults });
  await waitFor('both metas', async () => (await server.redis.exists(`node:${name}:meta`, `c:${name}:meta`)) === 2);
  await prepare?.('node');
  await prepare?.('c');
  let theirs, mine;
  if (oneByOne) {
    theirs = [];
    mine = [];
    for (const job of jobs) {
      theirs.push((await queue.add(job.name, job.data, job.opts)).id);
      mine.push(await ours.add({ queue: name, prefix: 'c', ...job }));
    }
  } else {
    theirs = (await queue.addBulk(jobs)).map((job) => job.id);
    mine = await ours.addBulk({ queue: name, prefix: 'c', jobs });
  }
  assert.deepEqual(mine, theirs);
  assert.deepEqual(await dump(server.redis, 'c:' + name, alike('c')), await dump(server.redis, 'node:' + name, alike('node')));
}

test('standard jobs leave the same data', (t) =>
  assertSameState(t, 'standard', [
    { name: 'a', data: { x: 1 } },
    { name: 'b', data: [1, 'two', null, { three: 3.5 }] },
    { name: 'c', data: 'text with "quotes" and ünïcödé' },
    { name: 'd', data: null },
    { name: 'e', data: {}, opts: { timestamp: T, attempts: 5 } },
    { name: 'f', data: {}, opts: { lifo: true } },
    { name: 'g', data: {}, opts: { lifo: true, attempts: 2 } },
  ]));

test('added one by one they do too', (t) =>
  assertSameState(t, 'single', [{ name: 'a', data: {} }, { name: 'b', data: { y: [] }, opts: { priority: 9 } }, { name: 'c', data: 1, opts: { lifo: true } }], {
    oneByOne: true,
  }));

test('delayed jobs leave the same data', (t) =>
  assertSameState(t, 'delayed', [
    { name: 'a', data: {}, opts: { delay: 60_000, timestamp: T } },
    { name: 'b', data: {}, opts: { delay: 60_000, timestamp: T } },
    { name: 'c', data: {}, opts: { delay: 30_000, timestamp: T } },
    { name: 'd', data: {}, opts: { delay: 30_001, timestamp: T, priority: 3 } },
    { name: 'e', data: {}, opts: { delay: 60_000, timestamp: T } },
  ]));

test('prioritized jobs leave the same data', (t) =>
  assertSameState(t, 'prioritized', [
    { name: 'a', data: {}, opts: { priority: 2 } },
    { name: 'b', data: {}, opts: { priority: 1 } },
    { name: 'c', data: {}, opts: { priority: 2_097_151 } },
    { name: 'd', data: {}, opts: { priority: 2 } },
  ]));

test('all kinds in one bulk leave the same data', (t) =>
  assertSameState(t, 'mixed', [
    { name: 'a', data: {} },
    { name: 'b', data: {}, opts: { priority: 4 } },
    { name: 'c', data: {}, opts: { delay: 1000, timestamp: T } },
    { name: 'd', data: {}, opts: { jobId: 'own' } },
    { name: 'e', data: {}, opts: { lifo: true } },
    { name: 'f', data: {}, opts: { jobId: 'own' } },
    { name: 'g', data: {} },
  ]));

test('every option of a job is stored the same way', (t) =>
  assertSameState(t, 'options', [
    { name: 'a', data: {}, opts: { attempts: 3, backoff: { type: 'exponential', delay: 1000 } } },
    { name: 'b', data: {}, opts: { attempts: 3, backoff: { type: 'fixed', delay: 50, jitter: 0.25 } } },
    { name: 'c', data: {}, opts: { backoff: { type: 'mine', delay: 7 } } },
    { name: 'd', data: {}, opts: { removeOnComplete: true, removeOnFail: false } },
    { name: 'e', data: {}, opts: { removeOnComplete: { count: 10 }, removeOnFail: { age: 3600, count: 5, limit: 2 } } },
    { name: 'f', data: {}, opts: { keepLogs: 3, stackTraceLimit: 0, sizeLimit: 1000 } },
    { name: 'g', data: {}, opts: { stackTraceLimit: 4, timestamp: T, jobId: 'with-id' } },
  ]));

test('telemetry and options that nobody knows are stored the same way, and BullMQ reads them', async (t) => {
  const queue = closing(t, new Queue('extra', { connection: server.connection, prefix: 'node' }));
  await queue.waitUntilReady();
  const telemetry = { metadata: '{"traceparent":"00-1"}', omitContext: true };
  const mine = { list: [1, { x: 'é' }], big: 1.5 };
  await queue.add('n', {}, { attempts: 2, telemetry, mine });
  await ours.add({ queue: 'extra', prefix: 'c', name: 'n', data: {}, opts: { attempts: 2, extra: JSON.stringify({ tm: telemetry.metadata, omc: true, mine }) } });
  await waitFor('our meta', () => server.redis.exists('c:extra:meta'));
  assert.deepEqual(await dump(server.redis, 'c:extra', alike('c')), await dump(server.redis, 'node:extra', alike('node')));
  const reader = closing(t, new Queue('extra', { connection: server.connection, prefix: 'c' }));
  const { opts } = await reader.getJob('1');
  assert.deepEqual([opts.telemetry, opts.mine], [telemetry, mine]);
});

test('jobs without options have those of their queue', (t) =>
  assertSameState(t, 'defaults', [{ name: 'a', data: {} }, { name: 'b', data: { n: 1 } }], {
    defaults: { attempts: 4, backoff: { type: 'fixed', delay: 10 }, priority: 3, removeOnComplete: { count: 5 }, keepLogs: 2 },
  }));

test('options of a job go before those of its queue, one by one', (t) =>
  assertSameState(
    t,
    'merged',
    [
      { name: 'a', data: {}, opts: { delay: 5000, timestamp: T } },
      { name: 'b', data: {}, opts: { attempts: 2, priority: 1 } },
      { name: 'c', data: {}, opts: { backoff: { type: 'fixed', delay: 10 }, removeOnComplete: true, lifo: true } },
      { name: 'd', data: {}, opts: { deduplication: { id: 'own' }, keepLogs: 7 } },
    ],
    { defaults: { attempts: 4, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: { count: 5 }, removeOnFail: { count: 9, age: 60 }, keepLogs: 2, stackTraceLimit: 3 } },
  ));

test('a paused queue is treated the same way', (t) =>
  assertSameState(t, 'paused', [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { priority: 1 } }, { name: 'c', data: {}, opts: { delay: 5000, timestamp: T } }], {
    prepare: (prefix) => server.redis.hset(`${prefix}:paused:meta`, 'paused', 1),
  }));

test('a queue at its global concurrency is treated the same way', (t) =>
  assertSameState(t, 'maxed', [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { priority: 1 } }], {
    prepare: async (prefix) => {
      await server.redis.hset(`${prefix}:maxed:meta`, 'concurrency', 2);
      await server.redis.lpush(`${prefix}:maxed:active`, 'x', 'y');
    },
  }));

test('jobs that come alone are treated the same way in a paused, a full and a meta-less queue', async (t) => {
  const jobs = [{ name: 'a', data: {} }, { name: 'b', data: { n: 1 }, opts: { lifo: true, attempts: 2 } }];
  const { redis } = server;
  await assertSameState(t, 'paused1', jobs, { oneByOne: true, prepare: (prefix) => redis.hset(`${prefix}:paused1:meta`, 'paused', 1) });
  await assertSameState(t, 'maxed1', jobs, {
    oneByOne: true,
    prepare: (prefix) => redis.multi().hset(`${prefix}:maxed1:meta`, 'concurrency', 2).lpush(`${prefix}:maxed1:active`, 'x', 'y').exec(),
  });
  await assertSameState(t, 'free1', jobs, { oneByOne: true, prepare: (prefix) => redis.multi().hset(`${prefix}:free1:meta`, 'concurrency', 3).lpush(`${prefix}:free1:active`, 'x').exec() });
  await assertSameState(t, 'metaless1', jobs, { oneByOne: true, prepare: (prefix) => redis.del(`${prefix}:metaless1:meta`) });
});

test('a queue whose meta is missing gets its cap of events the same way', (t) =>
  assertSameState(t, 'metaless', [{ name: 'a', data: {} }], {
    prepare: (prefix) => server.redis.del(`${prefix}:metaless:meta`),
  }));

test('what BullMQ refuses, we refuse', async (t) => {
  const queue = closing(t, new Queue('refused', { connection: server.connection }));
  const bad = [
    { jobId: '123' },
    { jobId: '0:1' },
    { jobId: 'a:b' },
    { priority: 2_097_152 },
    { backoff: { type: 'fixed', delay: 1, jitter: 1.5 } },
    { sizeLimit: 3 },
  ];
  for (const opts of bad) {
    await assert.rejects(queue.add('n', { a: 1 }, opts), `BullMQ takes ${JSON.stringify(opts)}`);
    await assert.rejects(ours.add({ queue: 'refused', name: 'n', data: { a: 1 }, opts }), (error) => ['SC_EINVAL', 'SC_ETOOBIG'].includes(error.code));
  }
  assert.equal(await server.redis.exists('bull:refused:id'), 0);
});

test("BullMQ's getters and counts see our jobs", async (t) => {
  const queue = closing(t, new Queue('seen', { connection: server.connection }));
  await ours.addBulk({
    queue: 'seen',
    jobs: [
      { name: 'w', data: { a: [1, 2] }, opts: { attempts: 4, backoff: { type: 'fixed', delay: 10 }, keepLogs: 3 } },
      { name: 'd', data: {}, opts: { delay: 60_000 } },
      { name: 'p', data: {}, opts: { priority: 8 } },
    ],
  });
  const job = await queue.getJob('1');
  assert.equal(job.name, 'w');
  assert.deepEqual(job.data, { a: [1, 2] });
  assert.equal(job.opts.attempts, 4);
  assert.deepEqual(job.opts.backoff, { type: 'fixed', delay: 10 });
  assert.equal(job.opts.keepLogs, 3);
  assert.ok(Math.abs(job.timestamp - Date.now()) < 60_000);
  assert.equal(await queue.getJobState('2'), 'delayed');
  assert.equal((await queue.getJob('2')).delay, 60_000);
  assert.equal(await queue.getJobState('3'), 'prioritized');
  assert.equal((await queue.getJob('3')).priority, 8);
  const counts = await queue.getJobCounts();
  const { isPaused, ...mine } = await ours.counts({ queue: 'seen' });
  assert.deepEqual(mine, counts);
  assert.equal(isPaused, false);
});

test("our getters see BullMQ's jobs, in its order", async (t) => {
  const queue = closing(t, new Queue('read', { connection: server.connection }));
  await queue.addBulk(Array.from({ length: 7 }, (_, i) => ({ name: 'w', data: { i } })));
  await queue.addBulk([5, 1, 3].map((priority) => ({ name: 'p', data: {}, opts: { priority } })));
  await queue.addBulk([5000, 1000, 3000].map((delay) => ({ name: 'd', data: {}, opts: { delay: delay + 60_000 } })));
  for (const state of ['waiting', 'prioritized', 'delayed', 'completed', 'failed', 'active', 'waiting-children'])
    for (const asc of [true, false])
      for (const [start, end] of [[0, -1], [0, 0], [1, 2], [2, 99], [7, 9]]) {
        const theirs = (await queue.getJobs([state], start, end, asc)).map((job) => job.id);
        const mine = (await ours.getJobs({ queue: 'read', state, start, end, asc })).map((job) => job.id);
        assert.deepEqual(mine, theirs, `${state} ${start}..${end} ${asc ? 'ascending' : 'descending'}`);
      }
  const { isPaused, ...mine } = await ours.counts({ queue: 'read' });
  assert.deepEqual(mine, await queue.getJobCounts());
  const job = await ours.getJob({ queue: 'read', jobId: '3' });
  assert.deepEqual(job.data, { i: 2 });
  assert.deepEqual(job.opts, { attempts: 0 });
  for (let id = 1; id <= 14; id++)
    assert.equal(await ours.getState({ queue: 'read', jobId: `${id}` }), await queue.getJobState(`${id}`));
});

test("BullMQ's Worker processes our jobs, of every kind", async (t) => {
  const done = [];
  const ids = await ours.addBulk({
    queue: 'work',
    jobs: [
      { name: 'plain', data: { n: 1 } },
      { name: 'low', data: { n: 2 }, opts: { priority: 10 } },
      { name: 'high', data: { n: 3 }, opts: { priority: 1 } },
      { name: 'late', data: { n: 4 }, opts: { delay: 300 } },
      { name: 'own', data: { n: 5 }, opts: { jobId: 'own-id' } },
      { name: 'head', data: { n: 6 }, opts: { lifo: true } },
      { name: 'again', data: { n: 7 }, opts: { attempts: 3, backoff: { type: 'fixed', delay: 20 } } },
    ],
  });
  const worker = new Worker(
    'work',
    async (job) => {
      if (job.name === 'again' && job.attemptsMade < 2) throw new Error('not yet');
      done.push(job.name);
      return { n: job.data.n };
    },
    { connection: server.connection },
  );
  closing(t, worker);
  await waitFor('all jobs', () => done.length === ids.length);
  assert.deepEqual(done.slice(0, 3), ['head', 'plain', 'own']);
  assert.deepEqual([...done].sort(), ['again', 'head', 'high', 'late', 'low', 'own', 'plain']);
  assert.ok(done.indexOf('high') < done.indexOf('low'));
  await waitFor('them to be stored', async () => (await ours.counts({ queue: 'work' })).completed === ids.length);
  const again = await ours.getJob({ queue: 'work', jobId: ids[6] });
  assert.equal(again.attemptsMade, 3);
  assert.deepEqual(again.returnvalue, { n: 7 });
  assert.equal(again.attempts, 3);
  assert.ok(again.finishedOn >= again.processedOn);
});

test('a waiting Worker of BullMQ is woken by our add', async (t) => {
  const done = [];
  const worker = closing(t, new Worker('woken', async (job) => done.push(job.id), { connection: server.connection, drainDelay: 600 }));
  await worker.waitUntilReady();
  await waitFor('it to block', async () => /cmd=bzpopmin/.test(await server.redis.client('LIST')));
  const id = await ours.add({ queue: 'woken', name: 'n', data: {} });
  await waitFor('the job', () => done.includes(id));
});

test("BullMQ's QueueEvents sees our events, in order, with their fields", async (t) => {
  const seen = [];
  const events = closing(t, new QueueEvents('told', { connection: server.connection, lastEventId: '0-0' }));
  for (const name of ['added', 'waiting', 'delayed', 'duplicated', 'paused', 'resumed', 'removed']) events.on(name, (args) => seen.push([name, args]));
  await events.waitUntilReady();
  await ours.addBulk({
    queue: 'told',
    jobs: [
      { name: 'a', data: {} },
      { name: 'b', data: {}, opts: { delay: 60_000, timestamp: T } },
      { name: 'c', data: {}, opts: { priority: 1, jobId: 'x' } },
      { name: 'd', data: {}, opts: { jobId: 'x' } },
    ],
  });
  await ours.pause({ queue: 'told' });
  await ours.resume({ queue: 'told' });
  await ours.promote({ queue: 'told', jobId: '2' });
  await ours.remove({ queue: 'told', jobId: 'x' });
  await waitFor('the last event', () => seen.some(([name]) => name === 'removed'));
  assert.deepEqual(seen, [
    ['added', { jobId: '1', name: 'a' }],
    ['waiting', { jobId: '1' }],
    ['added', { jobId: '2', name: 'b' }],
    ['delayed', { jobId: '2', delay: T + 60_000 }],
    ['added', { jobId: 'x', name: 'c' }],
    ['waiting', { jobId: 'x' }],
    ['duplicated', { jobId: 'x' }],
    ['paused', {}],
    ['resumed', {}],
    ['waiting', { jobId: '2', prev: 'delayed' }],
    ['removed', { jobId: 'x', prev: 'prioritized' }],
  ]);
});

test('ids go on from where the other side was', async (t) => {
  const queue = closing(t, new Queue('turns', { connection: server.connection }));
  assert.equal((await queue.add('n', {})).id, '1');
  assert.equal(await ours.add({ queue: 'turns', name: 'n' }), '2');
  assert.equal((await queue.add('n', {}, { jobId: 'own' })).id, 'own');
  assert.deepEqual(await ours.addBulk({ queue: 'turns', jobs: [{ name: 'n' }, { name: 'n' }] }), ['4', '5']);
  assert.equal((await queue.add('n', {})).id, '6');
  assert.equal(await ours.add({ queue: 'turns', name: 'n', opts: { jobId: 'own' } }), 'own');
});

test('many jobs, every byte of their data as it was', async (t) => {
  const jobs = Array.from({ length: 1500 }, (_, i) => ({ name: `n${i % 3}`, data: { i, text: 'é"\\\u0001'.repeat(i % 40) } }));
  const ids = await ours.addBulk({ queue: 'many', jobs });
  const queue = closing(t, new Queue('many', { connection: server.connection }));
  const got = await queue.getJobs(['waiting'], 0, -1, true);
  assert.deepEqual(got.map((job) => job.id), ids);
  assert.deepEqual(got.map((job) => job.data), jobs.map((job) => job.data));
});
