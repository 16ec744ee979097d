// When a failed job is tried again: by a backoff of the worker's own, and up to a number of starts. As BullMQ's Worker does it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { sameEffect, startPeer, startRedis, waitFor } from './lib.mjs';

let server, ours;

before(async () => {
  server = await startRedis();
  ours = startPeer(server.url);
});

after(async () => {
  await ours.stop();
  await server.stop();
});

/** Jobs that always fail, by a worker of each side until all have failed for good; all keys must be alike. */
const sameEnd = (t, name, jobs, { node, mine }) =>
  sameEffect(t, server, Queue, name, {
    prepare: (queue) => queue.addBulk(jobs.map((opts) => ({ name: 'job', data: { fail: 'no luck' }, opts: { stackTraceLimit: 0, ...opts } }))),
    theirs: async () => {
      const worker = new Worker(
        name,
        async (job) => {
          throw new Error(job.data.fail);
        },
        { connection: server.connection, prefix: 'node', ...node },
      );
      await failed('node', name, jobs.length);
      await worker.close();
    },
    mine: async (where) => {
      const worker = await ours.work({ ...where, ...mine });
      await failed('c', name, jobs.length);
      await ours.closeWorker({ worker });
    },
  });

const failed = async (prefix, name, count) => {
  await waitFor('all to fail', async () => (await server.redis.zcard(`${prefix}:${name}:failed`)) === count && !(await server.redis.exists(`${prefix}:${name}:marker`)));
  await server.redis.del(`${prefix}:${name}:stalled-check`); // it ends by itself
};

const custom = (attempts) => ({ attempts, backoff: { type: 'tide' } });

for (const [what, ...backoffs] of [['waits', 40, 60], ['tries at once', 0, 0], ['stops', 30, -1]])
  test(`a backoff of the worker's own ${what}`, (t) =>
    sameEnd(t, 'own-' + what.split(' ')[0], [custom(3)], {
      node: { settings: { backoffStrategy: (attempts) => backoffs[attempts - 1] } },
      mine: { backoffs },
    }));

test('starts are limited', (t) =>
  sameEnd(t, 'starts', [{ attempts: 5 }], { node: { maxStartedAttempts: 3 }, mine: { maxStartedAttempts: 3 } }));

test('a job that was started too often fails with the same words', async (t) => {
  await sameEffect(t, server, Queue, 'often', {
    prepare: async (queue, prefix) => {
      await queue.add('job', {}, { attempts: 9, stackTraceLimit: 0 });
      await server.redis.hset(`${prefix}:often:1`, 'ats', 3);
    },
    theirs: async () => {
      const worker = new Worker('often', async () => {}, { connection: server.connection, prefix: 'node', maxStartedAttempts: 3 });
      await failed('node', 'often', 1);
      await worker.close();
    },
    mine: async (where) => {
      const worker = await ours.work({ ...where, maxStartedAttempts: 3 });
      await failed('c', 'often', 1);
      await ours.closeWorker({ worker });
    },
  });
  assert.equal(await server.redis.hget('c:often:1', 'failedReason'), 'job started more than allowable limit');
});
