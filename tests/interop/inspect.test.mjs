// What a closer look at a queue shows: the same as BullMQ's getters. And metrics, which both sides count the same way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MetricsTime, Queue, Worker } from 'bullmq';
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

const queueOf = (t, name) => closing(t, new Queue(name, { connection: server.connection }));

test('jobs of several states come in the same order', async (t) => {
  const queue = queueOf(t, 'mixed');
  await queue.addBulk([1, 2, 3, 4].map((n) => ({ name: 'wait' + n, data: {} })));
  await queue.addBulk([5, 6].map((n) => ({ name: 'late' + n, data: {}, opts: { delay: 60_000 * n } })));
  await queue.addBulk([7, 8, 9].map((n) => ({ name: 'prio' + n, data: {}, opts: { priority: n } })));
  for (const states of [['waiting', 'delayed'], ['prioritized', 'waiting', 'delayed'], ['waiting', 'waiting', 'failed'], ['delayed']])
    for (const [start, end] of [[0, -1], [0, 1], [1, 2], [5, 9]])
      for (const asc of [true, false]) {
        const theirs = (await queue.getJobs(states, start, end, asc)).map((job) => job.id);
        assert.deepEqual(await ours.jobIdsOf({ queue: 'mixed', states, start, end, asc }), theirs, `${states} ${start} ${end} ${asc}`);
      }
  assert.equal(await ours.count({ queue: 'mixed' }), await queue.count());
});

test('delayed jobs up to a date are counted the same way', async (t) => {
  const queue = queueOf(t, 'due');
  const jobs = await queue.addBulk([10, 20, 30].map((s) => ({ name: 'n', data: {}, opts: { delay: s * 1000 } })));
  const due = jobs[1].timestamp + 20_000;
  for (const date of [0, due - 1, due, due + 1, due + 60_000]) assert.equal(await ours.count({ queue: 'due', delayedBefore: date }), await queue.getDelayedCount(date), `${date - due}`);
});

test('meta is read as BullMQ reads it', async (t) => {
  const queue = queueOf(t, 'meta');
  await queue.waitUntilReady();
  await waitFor('meta', () => server.redis.exists('bull:meta:meta'));
  await queue.setGlobalConcurrency(7);
  await queue.setGlobalRateLimit(10, 5000);
  await queue.pause();
  await server.redis.hset('bull:meta:meta', 'note', 'of someone');
  assert.deepEqual(await ours.meta({ queue: 'meta' }), await queue.getMeta());
  assert.equal((await ours.meta({ queue: 'meta' })).version, await queue.getVersion());
});

test('the workers of a queue are listed, ours and theirs', async (t) => {
  const queue = queueOf(t, 'staff');
  const named = closing(t, new Worker('staff', async () => {}, { connection: server.connection, name: 'ada' }));
  const plain = closing(t, new Worker('staff', async () => {}, { connection: server.connection }));
  const other = closing(t, new Worker('staff2', async () => {}, { connection: server.connection, name: 'eve' }));
  await Promise.all([named, plain, other].map((worker) => worker.waitUntilReady()));
  const number = await ours.work({ queue: 'staff', name: 'bob' });
  await waitFor('three workers', async () => (await queue.getWorkersCount()) === 3);
  const listed = await ours.workers({ queue: 'staff' });
  assert.deepEqual(listed.map((worker) => worker.name).sort(), ['', 'ada', 'bob']);
  assert.deepEqual(listed.map((worker) => `${worker.id}`).sort(), (await queue.getWorkers()).map((worker) => worker.id).sort());
  await ours.closeWorker({ worker: number });
  await waitFor('ours to leave', async () => (await ours.workers({ queue: 'staff' })).length === 2);
});

/** Jobs that leave nothing behind but events and metrics. */
const leaving = (data, n) => Array.from({ length: n }, () => ({ name: 'job', data, opts: { removeOnComplete: true, removeOnFail: true } }));

/** Runs what `prepare` adds by a worker of each side, with metrics of `points` minutes; all keys must be alike, when both were at it in the same minute. */
async function sameMetrics(t, name, prepare, points) {
  const minute = () => Math.floor(Date.now() / 60_000);
  for (let round = 1; ; round++) {
    await waitFor('a time far from the end of a minute', () => Date.now() % 60_000 < 45_000);
    const began = minute();
    try {
      return await sameMetricsNow(t, `${name}-${round}`, prepare, points);
    } catch (error) {
      if (minute() === began) throw error;
    }
  }
}

async function sameMetricsNow(t, name, prepare, points) {
  const idle = (prefix) => waitFor('all to end', async () => !(await server.redis.exists(`${prefix}:${name}:wait`, `${prefix}:${name}:active`, `${prefix}:${name}:marker`)));
  await sameEffect(t, server, Queue, name, {
    prepare,
    theirs: async () => {
      const fail = async (job) => {
        if (job.data.fail) throw new Error(job.data.fail);
      };
      const worker = new Worker(name, fail, { connection: server.connection, prefix: 'node', metrics: { maxDataPoints: points } });
      await idle('node');
      await worker.close();
    },
    mine: async (where) => {
      const worker = await ours.work({ ...where, metricsPoints: points });
      await idle('c');
      await ours.closeWorker({ worker });
    },
  });
}

test('metrics of the first minute are the same', (t) =>
  sameMetrics(t, 'first', (queue) => queue.addBulk([...leaving({}, 7), ...leaving({ fail: 'x' }, 3)]), MetricsTime.ONE_HOUR));

test('metrics after minutes without a job are the same', (t) =>
  sameMetrics(
    t,
    'later',
    async (queue, prefix) => {
      await queue.addBulk([...leaving({}, 5), ...leaving({ fail: 'x' }, 2)]);
      for (const kind of ['completed', 'failed']) {
        await server.redis.hset(`${prefix}:${queue.name}:metrics:${kind}`, { count: 12, prevTS: Date.now() - 600_000, prevCount: 3 });
        await server.redis.lpush(`${prefix}:${queue.name}:metrics:${kind}:data`, 3, 2, 1);
      }
    },
    4,
  ));

test('metrics of each side are read the same way', async (t) => {
  const queue = queueOf(t, 'both');
  const worker = await ours.work({ queue: 'both', metricsPoints: 100 });
  await server.redis.hset('bull:both:metrics:completed', { count: 12, prevTS: Date.now() - 180_000, prevCount: 3 });
  await queue.addBulk(leaving({}, 5));
  await waitFor('five', async () => (await queue.getMetrics('completed')).meta.count === 17);
  await ours.closeWorker({ worker });
  for (const kind of ['completed', 'failed'])
    for (const [start, end] of [[0, -1], [0, 0], [1, 2], [9, 9]])
      assert.deepEqual(await ours.metrics({ queue: 'both', kind, start, end }), await queue.getMetrics(kind, start, end));
  const labels = { env: 'a "b"\n\\', site: 'x' };
  assert.equal(await ours.exportPrometheus({ queue: 'both', labels }), await queue.exportPrometheusMetrics(labels));
  assert.equal(await ours.exportPrometheus({ queue: 'both' }), await queue.exportPrometheusMetrics());
});
