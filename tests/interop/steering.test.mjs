// Workers that are steered while they run, with BullMQ's Queue and Worker on the same queue.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue } from 'bullmq';
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

test('a worker of ours gets other slots while BullMQ looks on', async (t) => {
  const queue = queueOf(t, 'slots');
  await queue.addBulk(Array.from({ length: 8 }, () => ({ name: 'long', data: { workMs: 60_000 } })));
  const worker = await ours.work({ queue: 'slots', concurrency: 2 });
  await waitFor('two', async () => (await queue.getActiveCount()) === 2);

  await ours.setConcurrency({ worker, concurrency: 5 });
  await waitFor('five', async () => (await queue.getActiveCount()) === 5);

  await assert.rejects(ours.setConcurrency({ worker, concurrency: 0 }), { code: 'SC_EINVAL' });
  assert.equal(await ours.closeWorker({ worker, drainMs: 0 }), 5);
  assert.equal(await queue.getWaitingCount(), 8);
});
