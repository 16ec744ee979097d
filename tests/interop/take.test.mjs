// Jobs taken by hand and ended in each way: by BullMQ's getNextJob and moveTo…, and by us, with the same result.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import { atOneMoment, closing, sameEffect, startPeer, startRedis, waitFor } from './lib.mjs';

let server, ours;

before(async () => {
  server = await startRedis();
  ours = startPeer(server.url);
});

after(async () => {
  await ours.stop();
  await server.stop();
});

const nodeHand = (t, name, prefix = 'bull', opts = {}) => closing(t, new Worker(name, null, { connection: server.connection, prefix, autorun: false, ...opts }));

/** One job for each way; `how` is ours, `theirs` does the same by BullMQ. */
const ways = [
  { name: 'done', how: { result: { sent: true } }, theirs: (job) => job.moveToCompleted({ sent: true }, 't', false) },
  { name: 'nothing', how: {}, theirs: (job) => job.moveToCompleted(null, 't', false) },
  { name: 'failed', how: { fail: 'no luck' }, theirs: (job) => job.moveToFailed(new Error('no luck'), 't', false) },
  { name: 'again', opts: { attempts: 2 }, how: { fail: 'once' }, theirs: (job) => job.moveToFailed(new Error('once'), 't', false) },
  { name: 'later', opts: { attempts: 2, backoff: 60_000 }, how: { fail: 'once' }, theirs: (job) => job.moveToFailed(new Error('once'), 't', false) },
  { name: 'never', opts: { attempts: 9 }, how: { fail: 'bad', giveUp: true }, theirs: (job) => job.moveToFailed(new UnrecoverableError('bad'), 't', false) },
  { name: 'delayed', how: { delayMs: 60_000 }, theirs: (job) => atOneMoment((now) => job.moveToDelayed(now + 60_000, 't')) },
  { name: 'back', how: { toWait: true }, theirs: (job) => job.moveToWait('t') },
];

for (const { name, opts, how, theirs } of ways)
  test(`a job taken by hand and ended: ${name}`, (t) =>
    sameEffect(t, server, Queue, 'hand-' + name, {
      prepare: async (queue) => {
        await queue.add('job', { n: 1 }, { stackTraceLimit: 0, ...opts });
        await server.redis.del('c:hand-' + name + ':stalled-check');
      },
      theirs: async () => {
        const worker = nodeHand(t, 'hand-' + name, 'node');
        await worker.startStalledCheckTimer(); // ours always looks
        await waitFor('a check', () => server.redis.exists(`node:hand-${name}:stalled-check`));
        await theirs(await worker.getNextJob('t', { block: false }));
        await server.redis.del(`node:hand-${name}:marker`);
      },
      mine: async (where) => {
        const worker = await ours.openHand(where);
        const { run } = await ours.take({ worker });
        await ours.endRun({ run, ...how });
        await waitFor('a check', () => server.redis.exists(`c:hand-${name}:stalled-check`));
        await ours.closeWorker({ worker });
        await server.redis.del(`c:hand-${name}:marker`);
      },
    }));

test('the next job comes with the end of the last', async (t) => {
  const queue = closing(t, new Queue('chain', { connection: server.connection }));
  await queue.addBulk(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
  const worker = await ours.openHand({ queue: 'chain', name: 'hand' });
  const order = [];
  for (let run = await ours.take({ worker }); run; run = await ours.endRun({ run: run.run, next: true })) order.push([run.job.name, run.job.processedBy]);
  assert.deepEqual(order, [['a', 'hand'], ['b', 'hand'], ['c', 'hand']]);
  assert.deepEqual((await queue.getJobCounts('completed', 'active')), { completed: 3, active: 0 });
  await ours.closeWorker({ worker });
});

test('a waiting take gets the job that BullMQ adds', async (t) => {
  const queue = closing(t, new Queue('wait', { connection: server.connection }));
  const worker = await ours.openHand({ queue: 'wait' });
  assert.equal(await ours.take({ worker }), null);
  assert.equal(await ours.take({ worker, waitMs: 20 }), null);
  const waiting = ours.take({ worker, waitMs: 60_000 });
  await queue.add('later', {}, { delay: 30 });
  const { job, run } = await waiting;
  assert.equal(job.name, 'later');
  await ours.endRun({ run, result: 1 });
  await ours.closeWorker({ worker });
});

test('a job that BullMQ took is ended by us, and one of ours by BullMQ, with its token', async (t) => {
  const queue = closing(t, new Queue('shared', { connection: server.connection }));
  await queue.addBulk(['one', 'two'].map((name) => ({ name, data: {} })));
  const theirs = nodeHand(t, 'shared');
  const mine = await ours.openHand({ queue: 'shared' });
  const one = await theirs.getNextJob('their-token', { block: false });
  const two = await ours.take({ worker: mine });
  await assert.rejects(ours.adopt({ worker: mine, jobId: one.id, token: 'wrong' }), { code: 'SC_ELOCKLOST' });
  const { run } = await ours.adopt({ worker: mine, jobId: one.id, token: 'their-token' });
  await ours.extendLock({ run, duration: 90_000 });
  assert.ok((await server.redis.pttl(`bull:shared:${one.id}:lock`)) > 60_000);
  await ours.endRun({ run, result: 'ours' });
  const job = await queue.getJob(two.job.id);
  await job.extendLock(two.token, 90_000);
  await job.moveToCompleted('theirs', two.token, false);
  await assert.rejects(ours.endRun({ run: two.run }), { code: 'SC_ELOCKLOST' });
  assert.equal((await queue.getJob(one.id)).returnvalue, 'ours');
  assert.equal((await queue.getJob(two.job.id)).returnvalue, 'theirs');
  await ours.closeWorker({ worker: mine });
});

test("a scheduler's job taken by hand makes the next one", async (t) => {
  const queue = closing(t, new Queue('tick', { connection: server.connection }));
  await queue.upsertJobScheduler('every', { every: 60_000 }, { name: 'tick' });
  const worker = await ours.openHand({ queue: 'tick' });
  const { job, run } = await ours.take({ worker, waitMs: 60_000 });
  assert.equal(job.name, 'tick');
  assert.equal(await queue.getDelayedCount(), 1);
  await ours.endRun({ run });
  assert.equal(await queue.getCompletedCount(), 1);
  await ours.closeWorker({ worker });
});
