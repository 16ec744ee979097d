// Pause, resume, remove, retry, promote: by BullMQ and by us, on the same data, with the same result; and each sees what the other did.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FlowProducer, Queue, Worker } from 'bullmq';
import { alike, closing, dump, sameEffect, startPeer, startRedis, waitFor } from './lib.mjs';

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

const assertSameEffect = (t, name, calls) => sameEffect(t, server, Queue, name, calls);

/** Runs what waits, and ends. Jobs named "bad" fail. */
async function work(name, prefix, count) {
  let ended = 0;
  const worker = new Worker(
    name,
    async (job) => {
      if (job.name === 'bad') throw new Error('bad job');
      return { ok: job.id };
    },
    { connection: server.connection, prefix },
  );
  worker.on('completed', () => ended++);
  worker.on('failed', () => ended++);
  await waitFor('the jobs to end', () => ended === count).finally(() => worker.close());
  // The stack trace holds paths and lines; the marker and the stalled check are the worker's business.
  await server.redis.del(`${prefix}:${name}:marker`, `${prefix}:${name}:stalled-check`);
  for (const id of await server.redis.zrange(`${prefix}:${name}:failed`, 0, -1)) await server.redis.hset(`${prefix}:${name}:${id}`, 'stacktrace', '[]');
}

test('pause has the same effect', (t) =>
  assertSameEffect(t, 'pause', {
    prepare: (queue) => queue.add('a', {}),
    theirs: (queue) => queue.pause(),
    mine: (where) => ours.pause(where),
  }));

for (const [what, jobs] of Object.entries({
  'an empty queue': [],
  'jobs that wait': [{ name: 'a', data: {} }],
  'prioritized jobs': [{ name: 'a', data: {}, opts: { priority: 1 } }],
  'delayed jobs alone': [{ name: 'a', data: {}, opts: { delay: 60_000, timestamp: T } }],
}))
  test(`resume with ${what} has the same effect`, (t) =>
    assertSameEffect(t, `resume ${what}`, {
      prepare: async (queue) => {
        await queue.addBulk(jobs);
        await queue.pause();
      },
      theirs: (queue) => queue.resume(),
      mine: (where) => ours.resume(where),
    }));

test("resume takes over BullMQ 5's paused list the same way", (t) =>
  assertSameEffect(t, 'legacy', {
    prepare: async (queue, prefix) => {
      await queue.add('a', {});
      await queue.pause();
      await server.redis.lpush(`${prefix}:legacy:paused`, 'x', 'y', 'z');
    },
    theirs: (queue) => queue.resume(),
    mine: (where) => ours.resume(where),
  }));

test('remove from wait, delayed and prioritized has the same effect', (t) =>
  assertSameEffect(t, 'remove', {
    prepare: (queue) =>
      queue.addBulk([
        { name: 'a', data: {} },
        { name: 'b', data: {} },
        { name: 'c', data: {}, opts: { delay: 60_000, timestamp: T } },
        { name: 'd', data: {}, opts: { priority: 3 } },
        { name: 'e', data: {}, opts: { deduplication: { id: 'once' } } },
      ]),
    theirs: async (queue) => {
      for (const id of ['1', '3', '4', '5']) await queue.remove(id);
    },
    mine: async (where) => {
      for (const jobId of ['1', '3', '4', '5']) await ours.remove({ ...where, jobId });
    },
  }));

test('remove of finished jobs has the same effect', (t) =>
  assertSameEffect(t, 'remove-finished', {
    prepare: async (queue, prefix) => {
      await queue.addBulk([{ name: 'good', data: {} }, { name: 'bad', data: {} }, { name: 'good', data: {} }]);
      await work('remove-finished', prefix, 3);
    },
    theirs: async (queue) => {
      await queue.remove('1');
      await queue.remove('2');
    },
    mine: async (where) => {
      await ours.remove({ ...where, jobId: '1' });
      await ours.remove({ ...where, jobId: '2' });
    },
  }));

/** A flow of two floors; ids are given, for BullMQ makes UUIDs. */
const flow = (queueName) => ({
  name: 'root',
  queueName,
  opts: { jobId: 'root' },
  children: [
    { name: 'leaf', queueName, opts: { jobId: 'leaf-1' } },
    { name: 'middle', queueName, opts: { jobId: 'middle' }, children: [{ name: 'leaf', queueName, opts: { jobId: 'leaf-2' } }] },
  ],
});

async function addFlow(queueName, prefix) {
  const flows = new FlowProducer({ connection: server.connection, prefix });
  await flows.add(flow(queueName));
  await flows.close();
}

/** Which child goes first is up to the order of a set: events are compared without it. */
async function sortEvents(prefix, name) {
  const events = await server.redis.xrange(`${prefix}:${name}:events`, '-', '+');
  return events.map(([, fields]) => fields.join(' ')).sort();
}

test('remove of a flow takes all its jobs along, as BullMQ does', async (t) => {
  const name = 'flow';
  const queue = closing(t, new Queue(name, { connection: server.connection, prefix: 'node' }));
  const other = closing(t, new Queue(name, { connection: server.connection, prefix: 'c' }));
  await Promise.all([addFlow(name, 'node'), addFlow(name, 'c')]);
  await queue.remove('root');
  await ours.remove({ queue: name, prefix: 'c', jobId: 'root' });
  for (const id of ['root', 'leaf-1', 'middle', 'leaf-2']) assert.equal(await other.getJob(id), undefined);
  assert.deepEqual(await sortEvents('c', name), await sortEvents('node', name));
  const [a, b] = [await dump(server.redis, 'c:' + name, alike('c')), await dump(server.redis, 'node:' + name, alike('node'))];
  delete a['P:flow:events'];
  delete b['P:flow:events'];
  assert.deepEqual(a, b);
});

test('remove of the only child lets its parent go on, as in BullMQ', (t) =>
  assertSameEffect(t, 'child', {
    prepare: async (queue, prefix) => {
      const flows = new FlowProducer({ connection: server.connection, prefix });
      await flows.add({ name: 'p', queueName: 'child', opts: { jobId: 'p', timestamp: T }, children: [{ name: 'k', queueName: 'child', opts: { jobId: 'k', timestamp: T } }] });
      await flows.close();
    },
    theirs: (queue) => queue.remove('k'),
    mine: (where) => ours.remove({ ...where, jobId: 'k' }),
  }));

test('a job that a Worker of BullMQ has cannot be removed', async (t) => {
  let release, taken;
  const held = new Promise((resolve) => (release = resolve));
  const started = new Promise((resolve) => (taken = resolve));
  const worker = closing(t, new Worker('held', () => (taken(), held), { connection: server.connection }));
  const jobId = await ours.add({ queue: 'held', name: 'n' });
  await started;
  await assert.rejects(ours.remove({ queue: 'held', jobId }), { code: 'SC_ELOCKLOST' });
  assert.equal(await ours.getState({ queue: 'held', jobId }), 'active');
  release();
});

test("the pending job of BullMQ's scheduler cannot be removed", async (t) => {
  const queue = closing(t, new Queue('scheduled', { connection: server.connection }));
  const job = await queue.upsertJobScheduler('s', { every: 3_600_000, startDate: Date.now() + 60_000 }, { name: 'n' });
  await assert.rejects(ours.remove({ queue: 'scheduled', jobId: job.id }), { code: 'SC_ESCHEDULED' });
});

test('retry of failed and completed jobs has the same effect', (t) =>
  assertSameEffect(t, 'retry', {
    prepare: async (queue, prefix) => {
      await queue.addBulk([
        { name: 'bad', data: {} },
        { name: 'bad', data: {}, opts: { priority: 5 } },
        { name: 'bad', data: {}, opts: { lifo: true } },
        { name: 'good', data: {} },
      ]);
      await work('retry', prefix, 4);
    },
    theirs: async (queue) => {
      for (const id of ['1', '2', '3']) await (await queue.getJob(id)).retry('failed');
      await (await queue.getJob('4')).retry('completed');
    },
    mine: async (where) => {
      for (const jobId of ['1', '2', '3', '4']) await ours.retry({ ...where, jobId });
    },
  }));

test('a job that we retry is processed again by a Worker of BullMQ', async (t) => {
  const queue = closing(t, new Queue('again', { connection: server.connection }));
  let fail = true;
  const worker = new Worker(
    'again',
    async () => {
      if (fail) throw new Error('first time');
      return 'second time';
    },
    { connection: server.connection },
  );
  closing(t, worker);
  const { id } = await queue.add('n', {});
  await waitFor('the failure', async () => (await ours.getState({ queue: 'again', jobId: id })) === 'failed');
  assert.equal((await ours.getJob({ queue: 'again', jobId: id })).failedReason, 'first time');
  fail = false;
  await ours.retry({ queue: 'again', jobId: id });
  await waitFor('the success', async () => (await ours.getState({ queue: 'again', jobId: id })) === 'completed');
  assert.equal((await ours.getJob({ queue: 'again', jobId: id })).returnvalue, 'second time');
});

test('promote has the same effect', (t) =>
  assertSameEffect(t, 'promote', {
    prepare: (queue) =>
      queue.addBulk([
        { name: 'a', data: {}, opts: { delay: 60_000, timestamp: T } },
        { name: 'b', data: {}, opts: { delay: 60_000, timestamp: T, priority: 4 } },
        { name: 'c', data: {}, opts: { delay: 60_000, timestamp: T } },
      ]),
    theirs: async (queue) => {
      await (await queue.getJob('1')).promote();
      await (await queue.getJob('2')).promote();
    },
    mine: async (where) => {
      await ours.promote({ ...where, jobId: '1' });
      await ours.promote({ ...where, jobId: '2' });
    },
  }));

test('promote in a paused queue has the same effect', (t) =>
  assertSameEffect(t, 'promote-paused', {
    prepare: async (queue) => {
      await queue.add('a', {}, { delay: 60_000, timestamp: T });
      await queue.pause();
    },
    theirs: async (queue) => (await queue.getJob('1')).promote(),
    mine: (where) => ours.promote({ ...where, jobId: '1' }),
  }));

test('each side sees the pause of the other', async (t) => {
  const queue = closing(t, new Queue('both', { connection: server.connection }));
  await ours.pause({ queue: 'both' });
  assert.equal(await queue.isPaused(), true);
  await queue.resume();
  assert.equal(await ours.isPaused({ queue: 'both' }), false);
  await queue.pause();
  assert.equal(await ours.isPaused({ queue: 'both' }), true);
  assert.equal((await ours.counts({ queue: 'both' })).isPaused, true);
  await ours.resume({ queue: 'both' });
  assert.equal(await queue.isPaused(), false);
});

test('a Worker of BullMQ rests while we have paused its queue, and goes on when we resume', async (t) => {
  const done = [];
  await ours.pause({ queue: 'rest' });
  const worker = closing(t, new Worker('rest', async (job) => done.push(job.id), { connection: server.connection, drainDelay: 600 }));
  await worker.waitUntilReady();
  await waitFor('it to block', async () => /cmd=bzpopmin/.test(await server.redis.client('LIST')));
  const id = await ours.add({ queue: 'rest', name: 'n' });
  assert.equal((await ours.counts({ queue: 'rest' })).waiting, 1);
  await ours.resume({ queue: 'rest' });
  await waitFor('the job', () => done.includes(id));
});

test("we read the logs that BullMQ's job wrote", async (t) => {
  const queue = closing(t, new Queue('logs', { connection: server.connection }));
  const job = await queue.add('n', {});
  await job.log('one');
  await job.log('two');
  await job.log('three');
  assert.deepEqual(await ours.getLogs({ queue: 'logs', jobId: job.id }), ['one', 'two', 'three']);
  assert.deepEqual(await ours.getLogs({ queue: 'logs', jobId: job.id, start: 1, end: 1 }), (await queue.getJobLogs(job.id, 1, 1)).logs);
});

test("BullMQ's queues are discovered, and its relay is not taken for one", async (t) => {
  const queue = closing(t, new Queue('{tagged}', { connection: server.connection, prefix: 'found' }));
  const plain = closing(t, new Queue('plain', { connection: server.connection, prefix: 'found' }));
  await waitFor('their metas', async () => (await server.redis.exists('found:{tagged}:meta', 'found:plain:meta')) === 2);
  await server.redis.hset('found::relay:{x}:meta', 'version', '1');
  assert.deepEqual(await ours.discover({ prefix: 'found' }), ['plain', '{tagged}']);
});
