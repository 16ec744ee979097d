// The job handle: data, progress, log, delay, priority, retry with resets, children counts. By BullMQ and by us on the same data, with the same result.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { closing, sameEffect, startPeer, startRedis, waitFor } from './lib.mjs';

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

test('update of data has the same effect', (t) =>
  assertSameEffect(t, 'data', {
    prepare: (queue) => queue.add('a', { old: 1 }),
    theirs: async (queue) => (await queue.getJob('1')).updateData({ text: 'new é', list: [], n: 1.5 }),
    mine: (where) => ours.updateData({ ...where, jobId: '1', data: { text: 'new é', list: [], n: 1.5 } }),
  }));

for (const progress of [42, 'half', true, { step: 2, of: [1, 2] }])
  test(`update of progress to ${JSON.stringify(progress)} has the same effect`, (t) =>
    assertSameEffect(t, `progress-${typeof progress}`, {
      prepare: (queue) => queue.add('a', {}),
      theirs: async (queue) => (await queue.getJob('1')).updateProgress(progress),
      mine: (where) => ours.updateProgress({ ...where, jobId: '1', progress }),
    }));

test("BullMQ's QueueEvents hear of our progress", async (t) => {
  const events = closing(t, new QueueEvents('heard', { connection: server.connection, lastEventId: '0-0' }));
  await events.waitUntilReady();
  const heard = new Promise((resolve) => events.on('progress', resolve));
  const jobId = await ours.add({ queue: 'heard', name: 'n' });
  await ours.updateProgress({ queue: 'heard', jobId, progress: { pages: 7 } });
  assert.deepEqual(await heard, { jobId, data: { pages: 7 } });
});

test('log rows, kept and cleared, have the same effect', (t) =>
  assertSameEffect(t, 'log', {
    prepare: (queue) => queue.addBulk([{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { keepLogs: 2 } }, { name: 'c', data: {} }]),
    theirs: async (queue) => {
      for (const row of ['one', 'two', 'three']) for (const id of ['1', '2', '3']) await (await queue.getJob(id)).log(row);
      await (await queue.getJob('1')).clearLogs(1);
      await (await queue.getJob('3')).clearLogs();
    },
    mine: async (where) => {
      for (const row of ['one', 'two', 'three']) for (const jobId of ['1', '2', '3']) await ours.addLog({ ...where, jobId, row, keep: jobId === '2' ? 2 : 0 });
      await ours.clearLogs({ ...where, jobId: '1', keep: 1 });
      await ours.clearLogs({ ...where, jobId: '3' });
    },
  }));

test('change of a delay has the same effect', (t) =>
  assertSameEffect(t, 'delay', {
    prepare: (queue) =>
      queue.addBulk([
        { name: 'a', data: {}, opts: { delay: 60_000, timestamp: T } },
        { name: 'b', data: {}, opts: { delay: 90_000_000, timestamp: T } },
      ]),
    theirs: async (queue) => {
      await (await queue.getJob('1')).changeDelay(3_600_000);
      await (await queue.getJob('2')).changeDelay(7_200_000);
    },
    mine: async (where) => {
      await ours.changeDelay({ ...where, jobId: '1', delay: 3_600_000 });
      await ours.changeDelay({ ...where, jobId: '2', delay: 7_200_000 });
    },
  }));

test("a Worker of BullMQ takes a job at once whose delay we changed to none", async (t) => {
  const done = [];
  closing(t, new Worker('soon', async (job) => done.push(job.id), { connection: server.connection, drainDelay: 600 }));
  const jobId = await ours.add({ queue: 'soon', name: 'n', opts: { delay: 3_600_000 } });
  await ours.changeDelay({ queue: 'soon', jobId, delay: 0 });
  await waitFor('the job', () => done.includes(jobId));
});

const priorities = [
  ['1', 5, false],
  ['2', 5, true],
  ['3', 0, false],
  ['4', 0, true],
  ['5', 9, false],
  ['6', 3, false],
];

test('change of a priority has the same effect, from every state', (t) =>
  assertSameEffect(t, 'priority', {
    prepare: (queue) =>
      queue.addBulk([
        { name: 'a', data: {} },
        { name: 'b', data: {} },
        { name: 'c', data: {}, opts: { priority: 5 } },
        { name: 'd', data: {}, opts: { priority: 7 } },
        { name: 'e', data: {}, opts: { priority: 5 } },
        { name: 'f', data: {}, opts: { delay: 60_000, timestamp: T } },
        { name: 'g', data: {} },
      ]),
    theirs: async (queue) => {
      for (const [id, priority, lifo] of priorities) await (await queue.getJob(id)).changePriority({ priority, lifo });
    },
    mine: async (where) => {
      for (const [jobId, priority, lifo] of priorities) await ours.changePriority({ ...where, jobId, priority, lifo });
    },
  }));

test('change of a priority in a paused queue has the same effect', (t) =>
  assertSameEffect(t, 'priority-paused', {
    prepare: async (queue) => {
      await queue.add('a', {});
      await queue.pause();
    },
    theirs: async (queue) => (await queue.getJob('1')).changePriority({ priority: 4 }),
    mine: (where) => ours.changePriority({ ...where, jobId: '1', priority: 4 }),
  }));

async function failAll(name, prefix, count) {
  let failed = 0;
  const worker = new Worker(name, () => Promise.reject(new Error('bad job')), { connection: server.connection, prefix });
  worker.on('failed', () => failed++);
  await waitFor('the failures', () => failed === count).finally(() => worker.close());
  await server.redis.del(`${prefix}:${name}:marker`, `${prefix}:${name}:stalled-check`);
  for (const id of await server.redis.zrange(`${prefix}:${name}:failed`, 0, -1)) await server.redis.hset(`${prefix}:${name}:${id}`, 'stacktrace', '[]');
}

test('retry with resets has the same effect', (t) => {
  const resets = [['1', {}], ['2', { resetAttemptsMade: true }], ['3', { resetAttemptsStarted: true }], ['4', { resetAttemptsMade: true, resetAttemptsStarted: true }]];
  return assertSameEffect(t, 'resets', {
    prepare: async (queue, prefix) => {
      await queue.addBulk(['a', 'b', 'c', 'd'].map((name) => ({ name, data: {} })));
      await failAll('resets', prefix, 4);
    },
    theirs: async (queue) => {
      for (const [id, opts] of resets) await (await queue.getJob(id)).retry('failed', opts);
    },
    mine: async (where) => {
      for (const [jobId, opts] of resets) await ours.retryWith({ ...where, jobId, ...opts });
    },
  });
});

test("children of BullMQ's flow are counted as it counts them", async (t) => {
  const queue = closing(t, new Queue('kids', { connection: server.connection }));
  const flows = closing(t, new FlowProducer({ connection: server.connection }));
  await flows.add({
    name: 'parent',
    queueName: 'family',
    opts: { jobId: 'parent' },
    children: [
      { name: 'good', queueName: 'kids' },
      { name: 'bad', queueName: 'kids', opts: { ignoreDependencyOnFailure: true } },
      { name: 'later', queueName: 'kids', opts: { delay: 3_600_000 } },
    ],
  });
  const family = closing(t, new Queue('family', { connection: server.connection }));
  const worker = new Worker('kids', async (job) => { if (job.name === 'bad') throw new Error('bad'); }, { connection: server.connection });
  await waitFor('two to end', async () => (await queue.getJobCountByTypes('completed', 'failed')) === 2).finally(() => worker.close());
  const counts = await ours.dependencyCounts({ queue: 'family', jobId: 'parent' });
  assert.deepEqual(counts, { processed: 1, unprocessed: 1, ignored: 1, failed: 0 });
  assert.deepEqual(counts, await (await family.getJob('parent')).getDependenciesCount());
});

test('jobs that are not there, or not delayed, are refused', async () => {
  const jobId = await ours.add({ queue: 'refused', name: 'n' });
  const gone = { queue: 'refused', jobId: 'gone' };
  await assert.rejects(ours.updateData({ ...gone, data: {} }), { code: 'SC_ENOJOB' });
  await assert.rejects(ours.updateProgress({ ...gone, progress: 1 }), { code: 'SC_ENOJOB' });
  await assert.rejects(ours.addLog({ ...gone, row: 'x' }), { code: 'SC_ENOJOB' });
  await assert.rejects(ours.changeDelay({ ...gone, delay: 1 }), { code: 'SC_ENOJOB' });
  await assert.rejects(ours.changePriority({ ...gone, priority: 1 }), { code: 'SC_ENOJOB' });
  await assert.rejects(ours.changeDelay({ queue: 'refused', jobId, delay: 1 }), { code: 'SC_EJOBSTATE' });
});
