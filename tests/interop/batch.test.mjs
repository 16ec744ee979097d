// Batches, which BullMQ doesn't have: what they leave is what its Worker leaves, one job after the other.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, UnrecoverableError, Worker } from 'bullmq';
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

const KINDS = [{ result: { ok: 1 } }, {}, { fail: 'no luck' }, { giveUp: 'never' }, { fail: 'once', failTimes: 1, result: 'then' }];

async function processor({ data, attemptsMade }) {
  if (data.fail && attemptsMade < (data.failTimes ?? Infinity)) throw new Error(data.fail);
  if (data.giveUp) throw new UnrecoverableError(data.giveUp);
  return data.result ?? null;
}

/** The jobs alone, what is told apart by nature left out: batches end in another order, and traces are Node's own. */
async function jobsOf(prefix, name) {
  const keys = await dump(server.redis, `${prefix}:${name}`, alike(prefix));
  const jobs = Object.entries(keys).filter(([key]) => /:\d+$/.test(key));
  return Object.fromEntries(jobs.map(([key, { value }]) => [key, { ...value, stacktrace: value.stacktrace?.length }]));
}

test('jobs in batches end as jobs in a Worker of BullMQ do', async (t) => {
  for (const prefix of ['node', 'c']) {
    const queue = closing(t, new Queue('mixed', { connection: server.connection, prefix }));
    await queue.addBulk(Array.from({ length: 40 }, (_, i) => ({ name: 'job', data: KINDS[i % KINDS.length], opts: { attempts: 2 } })));
    const done = async () => (await queue.getCompletedCount()) === 24 && (await queue.getFailedCount()) === 16;
    if (prefix === 'node') {
      closing(t, new Worker('mixed', processor, { connection: server.connection, prefix, concurrency: 10 }));
      await waitFor('Node to be through', done);
    } else {
      const sizes = [];
      ours.events.on('batch', ({ size }) => sizes.push(size));
      const worker = await ours.work({ queue: 'mixed', prefix, concurrency: 10, batch: { max: 10, min: 5, linger: 50 } });
      await waitFor('us to be through', done);
      await ours.closeWorker({ worker });
      assert.ok(Math.max(...sizes) === 10, JSON.stringify(sizes));
    }
  }
  assert.deepEqual(await jobsOf('c', 'mixed'), await jobsOf('node', 'mixed'));
});

test('a Worker of BullMQ and batches of ours share a queue, each job runs once', async (t) => {
  const queue = closing(t, new Queue('shared', { connection: server.connection }));
  const JOBS = 600;
  const seen = [];
  await queue.addBulk(Array.from({ length: JOBS }, (_, n) => ({ name: 'job', data: { result: n } })));
  closing(
    t,
    new Worker(
      'shared',
      async (job) => {
        seen.push(job.id);
        return job.data.result;
      },
      { connection: server.connection, concurrency: 5 },
    ),
  );
  const worker = await ours.work({ queue: 'shared', concurrency: 20, batch: { max: 8, min: 4, linger: 20 } });
  await waitFor('all', async () => (await queue.getCompletedCount()) === JOBS);
  assert.equal(new Set(seen).size, seen.length);
  await waitFor('our count', async () => (await ours.workerStats({ worker })).completed === JOBS - seen.length);
  await ours.closeWorker({ worker });
});
