// A worker of BullMQ in a process of its own, to be killed: fleet_worker.mjs SOCKET QUEUE. What a job does is in its data, as for tests_peer.
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'bullmq';

const [path, queue] = process.argv.slice(2);
const worker = new Worker(
  queue,
  async (job) => {
    const { workMs, fail, failTimes, delayMs, result } = job.data;
    if (workMs) await pause(workMs);
    if (fail && job.attemptsMade < (failTimes ?? Infinity)) throw new Error(fail);
    return result;
  },
  { connection: { path, maxRetriesPerRequest: null }, name: 'node', concurrency: 10, lockDuration: 2000, stalledInterval: 500, maxStalledCount: 1000, drainDelay: 1 },
);
worker.on('error', () => {});
await worker.waitUntilReady();
process.stdout.write('ready\n');
