// What a worker tells its own process: in the same order as BullMQ's Worker emits it.
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

async function fill(t, prefix) {
  const queue = closing(t, new Queue('told', { connection: server.connection, prefix }));
  await queue.addBulk([
    { name: 'a', data: { result: { n: 1 }, progress: 50 } },
    { name: 'b', data: { fail: 'no luck' }, opts: { attempts: 2 } },
    { name: 'c', data: { giveUp: 'never' }, opts: { attempts: 5 } },
  ]);
}

test('the events of a worker are those of BullMQ, in its order', async (t) => {
  const [theirs, mine] = [[], []];
  await fill(t, 'node');
  await fill(t, 'c');

  const worker = closing(
    t,
    new Worker(
      'told',
      async (job) => {
        if (job.data.progress) await job.updateProgress(job.data.progress);
        if (job.data.fail) throw new Error(job.data.fail);
        if (job.data.giveUp) throw Object.assign(new Error(job.data.giveUp), { name: 'UnrecoverableError' });
        return job.data.result;
      },
      { connection: server.connection, prefix: 'node', autorun: false },
    ),
  );
  worker.on('active', (job) => theirs.push(['active', job.id, '']));
  worker.on('progress', (job, progress) => theirs.push(['progress', job.id, JSON.stringify(progress)]));
  worker.on('completed', (job, result) => theirs.push(['completed', job.id, JSON.stringify(result)]));
  worker.on('failed', (job, error) => theirs.push(['failed', job.id, error.message]));
  for (const name of ['drained', 'paused', 'resumed', 'closing', 'closed']) worker.on(name, () => theirs.push([name, '', '']));
  worker.run();
  await waitFor('Node to be through', () => theirs.some(([name]) => name === 'drained'));
  await worker.pause(true);
  worker.resume();
  await worker.close();

  ours.events.on('worker', ({ name, job, text }) => mine.push([name, job, text]));
  const number = await ours.work({ queue: 'told', prefix: 'c', tell: true });
  await waitFor('us to be through', () => mine.some(([name]) => name === 'drained'));
  await ours.pauseWorker({ worker: number });
  await ours.resumeWorker({ worker: number });
  await ours.closeWorker({ worker: number });
  assert.deepEqual(mine.shift(), ['ready', '', '']);
  assert.deepEqual(mine, theirs);
});

test('renewed and lost locks are told', async (t) => {
  const mine = [];
  ours.events.on('worker', (event) => mine.push(event));
  const queue = closing(t, new Queue('locks', { connection: server.connection }));
  await queue.add('long', { workMs: 60_000 });
  const number = await ours.work({ queue: 'locks', tell: true, lockRenewTime: 20 });
  await waitFor('a renewal', () => mine.find(({ name, ids }) => name === 'locksRenewed' && ids[0] === '1'));
  await server.redis.set('bull:locks:1:lock', 'another');
  await waitFor('a loss', () => mine.find(({ name, ids }) => name === 'lockRenewalFailed' && ids[0] === '1'));
  await ours.closeWorker({ worker: number });
});
