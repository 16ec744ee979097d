// Limits in time, an extension of ours: kept by BullMQ as they are, of no effect on its Worker.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { closing, startPeer, startRedis, waitFor } from './lib.mjs';

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

test('a job of ours with limits is run by a Worker of BullMQ, which keeps the limits where they are', async (t) => {
  const queue = queueOf(t, 'kept');
  const limits = { expiresAt: Date.now() - 1000, startWithin: 5, softTimeout: 10, hardTimeout: 20 };
  await ours.add({ queue: 'kept', name: 'job', data: {}, opts: { ...limits, attempts: 2 } });
  assert.equal(await server.redis.hget('bull:kept:meta', 'sc:extensions'), '1');
  let tries = 0;
  closing(
    t,
    new Worker(
      'kept',
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        if (++tries === 1) throw new Error('once');
        return 'done';
      },
      { connection: server.connection },
    ),
  );
  await waitFor('it to be completed', async () => (await queue.getCompletedCount()) === 1);
  const job = await queue.getJob('1');
  assert.equal(job.returnvalue, 'done');
  assert.equal(tries, 2);
  assert.deepEqual(job.opts.sc, limits);
});

test('a job that a Queue of BullMQ added with our limits has them here', async (t) => {
  const queue = queueOf(t, 'theirs');
  const worker = await ours.work({ queue: 'theirs', concurrency: 3 });
  await queue.add('stale', {}, { sc: { expiresAt: Date.now() - 1000 } });
  await queue.add('hangs', { workMs: 60_000, stubborn: true }, { sc: { hardTimeout: 30 } });
  await queue.add('told', { workMs: 60_000, result: 'stopped' }, { sc: { softTimeout: 30 } });
  await waitFor('two to fail', async () => (await queue.getFailedCount()) === 2);
  await waitFor('one to be done', async () => (await queue.getCompletedCount()) === 1);
  const [stale, hangs, told] = await Promise.all(['1', '2', '3'].map((id) => queue.getJob(id)));
  assert.match(stale.failedReason, /^expired: it was to be started by 20/);
  assert.equal(stale.attemptsStarted, 1);
  assert.equal(hangs.failedReason, 'timed out after 30 ms');
  assert.equal(told.returnvalue, 'stopped');
  await waitFor('it to hear of it', async () => ((stats) => stats.failed + stats.completed === 3)(await ours.workerStats({ worker })));
  const stats = await ours.workerStats({ worker });
  assert.deepEqual([stats.expired, stats.timedOut, stats.failed, stats.completed], [1, 1, 2, 1]);
  await ours.closeWorker({ worker });
});
