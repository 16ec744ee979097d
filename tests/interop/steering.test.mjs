// Workers that are steered while they run, with BullMQ's Queue and Worker on the same queue.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { alike, closing, dump, startPeer, startRedis, waitFor } from './lib.mjs';
import { storychain } from './program.mjs';

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
  await waitFor('them to run', async () => (await ours.workerStats({ worker })).running === 5);

  await assert.rejects(ours.setConcurrency({ worker, concurrency: 0 }), { code: 'SC_EINVAL' });
  assert.equal(await ours.closeWorker({ worker, drainMs: 0 }), 5);
  assert.equal(await queue.getWaitingCount(), 8);
});

const NO_STACKS = ({ type, value }) => ({ type, value: type === 'hash' && value.stacktrace ? { ...value, stacktrace: value.stacktrace.length } : value });

test('a run that is cancelled in its worker ends as in BullMQ', async (t) => {
  const states = {};
  for (const prefix of ['node', 'c']) {
    const queue = closing(t, new Queue('runs', { connection: server.connection, prefix }));
    await queue.waitUntilReady();
    await queue.add('again', { workMs: 60_000, failCancelled: true }, { attempts: 2, backoff: 3_600_000 });
    await queue.add('never', { workMs: 60_000, failCancelled: true });
    await queue.add('done', { workMs: 60_000 });
    const idle = async () => (await queue.getFailedCount()) === 1 && (await queue.getCompletedCount()) === 1 && (await queue.getDelayedCount()) === 1;
    if (prefix === 'c') {
      const worker = await ours.work({ queue: 'runs', prefix, concurrency: 3 });
      await waitFor('three', async () => (await queue.getActiveCount()) === 3);
      await waitFor('them to run', async () => (await ours.workerStats({ worker })).running === 3);
      assert.equal(await ours.cancelRun({ worker, job: '1', reason: 'enough' }), 1);
      assert.equal(await ours.cancelRun({ worker, job: '4', reason: 'enough' }), 0);
      await waitFor('the first', async () => (await queue.getDelayedCount()) === 1);
      assert.equal(await ours.cancelRun({ worker, job: '2', reason: 'enough' }), 1);
      await waitFor('the second', async () => (await queue.getFailedCount()) === 1);
      assert.equal(await ours.cancelRun({ worker, reason: 'all' }), 1);
      await waitFor('all', idle);
      await ours.closeWorker({ worker });
    } else {
      const work = (job, token, signal) =>
        new Promise((resolve, reject) => {
          const end = () => (job.data.failCancelled ? reject(new Error(signal.reason)) : resolve(null));
          if (signal.aborted) end();
          else signal.addEventListener('abort', end);
        });
      const worker = new Worker('runs', work, { connection: server.connection, prefix, concurrency: 3 });
      await waitFor('three', async () => (await queue.getActiveCount()) === 3);
      await waitFor('the first to run', () => worker.cancelJob('1', 'enough'));
      assert.equal(worker.cancelJob('4', 'enough'), false);
      await waitFor('the first', async () => (await queue.getDelayedCount()) === 1);
      await waitFor('the second to run', () => worker.cancelJob('2', 'enough'));
      await waitFor('the second', async () => (await queue.getFailedCount()) === 1);
      worker.cancelAllJobs('all');
      await waitFor('all', idle);
      await worker.close();
    }
    await server.redis.del(`${prefix}:runs:marker`);
    const keys = await dump(server.redis, `${prefix}:runs`, alike(prefix));
    states[prefix] = Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, NO_STACKS(value)]));
  }
  assert.deepEqual(states.c, states.node);
});

test('a job of BullMQ that waits is cancelled, and its getters and events tell', async (t) => {
  const queue = queueOf(t, 'waits');
  const events = closing(t, new QueueEvents('waits', { connection: server.connection, lastEventId: '0-0' }));
  await events.waitUntilReady();
  const failed = [];
  events.on('failed', (event) => failed.push(event));
  const opts = [{}, { delay: 3_600_000 }, { priority: 5 }, { removeOnFail: true }];
  const jobs = await queue.addBulk(opts.map((one) => ({ name: 'job', data: {}, opts: one })));
  for (const job of jobs) assert.equal(await ours.cancel({ queue: 'waits', job: job.id, reason: 'no use' }), 'cancelled');
  assert.deepEqual(await queue.getJobCounts('waiting', 'delayed', 'prioritized', 'failed'), { waiting: 0, delayed: 0, prioritized: 0, failed: 3 });
  const [first] = await queue.getFailed();
  assert.equal(first.failedReason, 'cancelled: no use');
  assert.equal(first.attemptsMade, 0);
  assert.equal(await queue.getJob(jobs[3].id), undefined);
  await waitFor('the events', () => failed.length === 4);
  assert.deepEqual(
    failed.map(({ jobId, failedReason, prev }) => [jobId, failedReason, prev]),
    ['waiting', 'delayed', 'prioritized', 'waiting'].map((prev, i) => [jobs[i].id, 'cancelled: no use', prev]),
  );
  await jobs[0].retry('failed');
  const worker = await ours.work({ queue: 'waits' });
  await waitFor('it to run', async () => (await queue.getCompletedCount()) === 1);
  await ours.closeWorker({ worker });
});

test("a job in BullMQ's Worker runs on, and is not tried again", async (t) => {
  const queue = queueOf(t, 'stock');
  let runs = 0, release;
  const held = new Promise((resolve) => (release = resolve));
  closing(
    t,
    new Worker(
      'stock',
      async () => {
        runs++;
        await held;
        throw new Error('not done');
      },
      { connection: server.connection },
    ),
  );
  const job = await queue.add('job', {}, { attempts: 5 });
  await waitFor('it to run', () => runs === 1);
  assert.equal(await ours.cancel({ queue: 'stock', job: job.id, reason: 'no use' }), 'noted');
  release();
  await waitFor('it to fail', async () => (await queue.getFailedCount()) === 1);
  assert.equal(runs, 1);
  assert.equal((await queue.getJob(job.id)).failedReason, 'cancelled: no use');
});

test('a cancelled child fails its parent of BullMQ', async (t) => {
  const queue = queueOf(t, 'family');
  const flows = closing(t, new FlowProducer({ connection: server.connection }));
  const { job, children } = await flows.add({
    name: 'parent',
    queueName: 'family',
    children: [{ name: 'child', queueName: 'family', opts: { failParentOnFailure: true } }],
  });
  assert.equal(await ours.cancel({ queue: 'family', job: children[0].job.id }), 'cancelled');
  closing(t, new Worker('family', async () => assert.fail('nothing is to run'), { connection: server.connection }));
  await waitFor('both to fail', async () => (await queue.getFailedCount()) === 2);
  assert.equal((await queue.getJob(job.id)).failedReason, `child bull:family:${children[0].job.id} failed`);
});

test('the program cancels a job that another process of ours runs', async (t) => {
  const queue = queueOf(t, 'program');
  const [long, waits] = await queue.addBulk([{ name: 'long', data: { workMs: 60_000, failCancelled: true }, opts: { attempts: 3 } }, { name: 'waits', data: {} }]);
  const worker = await ours.work({ queue: 'program', lockDuration: 600_000 });
  await waitFor('it to run', async () => (await ours.workerStats({ worker })).running === 1);
  await waitFor('it to listen', async () => (await server.redis.pubsub('CHANNELS')).includes('bull:program:sc:cancel'));
  const run = (...args) => storychain(['job', 'cancel', 'program', ...args, '--redis-url', server.url]);

  assert.deepEqual(JSON.parse((await run(waits.id, '--json')).stdout), { queue: 'program', id: waits.id, done: 'cancel', result: 'cancelled' });
  const told = await run(long.id, '--reason', 'the user left');
  assert.equal(told.stdout, `job ${long.id} of program runs now, and its worker is told to stop\n`);
  await waitFor('both to fail', async () => (await queue.getFailedCount()) === 2);
  assert.equal((await queue.getJob(long.id)).failedReason, 'cancelled: the user left');
  assert.equal((await run(long.id)).code, 5);
  assert.equal((await run('nobody')).code, 3);
  await ours.closeWorker({ worker });
});

test('BullMQ that removes orphaned jobs leaves our keys alone', async (t) => {
  const queue = queueOf(t, 'orphans');
  await queue.add('long', { workMs: 60_000, stubborn: true });
  const worker = await ours.work({ queue: 'orphans' });
  await waitFor('it to run', async () => (await ours.workerStats({ worker })).running === 1);
  assert.equal(await ours.cancel({ queue: 'orphans', job: '1', reason: 'x' }), 'told');
  assert.ok((await server.redis.pttl('bull:orphans:sc:cancel:1')) > 0);
  await queue.removeOrphanedJobs();
  assert.equal(await server.redis.exists('bull:orphans:sc:cancel:1', 'bull:orphans:1'), 2);
  await ours.closeWorker({ worker, drainMs: 0 });
});
