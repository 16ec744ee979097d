// What a worker of ours does by itself (locks, checks, waits, connections), as a Queue, a Worker and a QueueEvents of BullMQ's see it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, QueueEvents, Worker } from 'bullmq';
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

test('processors by name run the jobs that BullMQ adds, and a name without one fails', async (t) => {
  const queue = queueOf(t, 'names');
  const worker = await ours.work({ queue: 'names', names: ['mail', 'sms'], concurrency: 2 });
  const [mail, sms, fax] = await queue.addBulk(['mail', 'sms', 'fax'].map((name) => ({ name, data: { result: name } })));

  await waitFor('the ends', async () => (await queue.getCompletedCount()) === 2 && (await queue.getFailedCount()) === 1);
  assert.equal((await queue.getJob(mail.id)).returnvalue, 'mail');
  assert.equal((await queue.getJob(sms.id)).returnvalue, 'sms');
  assert.match((await queue.getJob(fax.id)).failedReason, /fax/);
  await ours.closeWorker({ worker });
});

test('a worker that was not started takes nothing of what BullMQ adds', async (t) => {
  const queue = queueOf(t, 'autorun');
  const worker = await ours.work({ queue: 'autorun', autorun: false });
  await queue.add('job', {});
  const other = await ours.work({ queue: 'autorun-other' });
  await closing(t, new Queue('autorun-other', { connection: server.connection })).add('job', {});
  await waitFor('another one to work', async () => (await ours.workerStats({ worker: other })).completed === 1);
  assert.equal(await queue.getWaitingCount(), 1);
  assert.equal(await queue.getWorkersCount(), 0);

  await ours.runWorker({ worker });
  await waitFor('the job', async () => (await queue.getCompletedCount()) === 1);
  await waitFor('it to be listed', async () => (await queue.getWorkersCount()) === 1);
  await ours.closeWorker({ worker });
  await ours.closeWorker({ worker: other });
});

test('a lock of ours lives as long as it was told to, and is renewed before BullMQ could call the job stalled', async (t) => {
  const LOCK_MS = 10_000; // longer than a busy machine stands still
  const queue = queueOf(t, 'locks');
  const worker = await ours.work({ queue: 'locks', lockDuration: LOCK_MS });
  const checker = closing(t, new Worker('locks', null, { connection: server.connection, stalledInterval: 50 }));
  const stalled = [];
  checker.on('stalled', (id) => stalled.push(id));
  const job = await queue.add('long', { workMs: 60_000 });
  await waitFor('the job', async () => (await queue.getActiveCount()) === 1);
  const lock = `bull:locks:${job.id}:lock`;
  const token = await server.redis.get(lock);
  const taken = performance.now();
  let renewals = 0, last = 0;

  await checker.startStalledCheckTimer();
  await waitFor('three renewals', async () => {
    const ms = await server.redis.pttl(lock);
    assert.ok(ms > 0 && ms <= LOCK_MS, `the lock lives for ${ms} ms`);
    if (ms > last) renewals++;
    last = ms;
    return renewals > 3 && performance.now() - taken > LOCK_MS;
  });

  assert.equal(await server.redis.get(lock), token);
  assert.deepEqual(stalled, []);
  assert.equal(await ours.closeWorker({ worker, drainMs: 0 }), 1);
});

test('without renewal BullMQ takes the job as stalled and runs it again', async (t) => {
  const queue = queueOf(t, 'unrenewed');
  const worker = await ours.work({ queue: 'unrenewed', lockDuration: 200, skipLockRenewal: true, skipStalledCheck: true });
  const job = await queue.add('long', { workMs: 60_000 });
  await waitFor('the job', async () => (await queue.getActiveCount()) === 1);

  const theirs = closing(t, new Worker('unrenewed', async () => 'theirs', { connection: server.connection, stalledInterval: 100 }));
  await theirs.waitUntilReady();
  await waitFor('their end', async () => (await queue.getJob(job.id)).returnvalue === 'theirs');
  await ours.closeWorker({ worker, drainMs: 0 });
  assert.equal(await queue.getCompletedCount(), 1);
  assert.equal(await queue.getActiveCount(), 0);
});

test('a job whose worker of BullMQ is gone is found by the stalled check of ours, unless that is off', async (t) => {
  const queue = queueOf(t, 'stalled');
  const gone = closing(t, new Worker('stalled', null, { connection: server.connection, lockDuration: 100 }));
  const job = await queue.add('job', { result: 'ours' });
  assert.equal((await gone.getNextJob('token')).id, job.id);
  const blind = await ours.work({ queue: 'stalled', skipStalledCheck: true });
  const events = closing(t, new QueueEvents('stalled', { connection: server.connection, lastEventId: '0-0' }));
  const heard = new Promise((resolve) => events.on('stalled', ({ jobId }) => resolve(jobId)));
  await waitFor('its lock to end', async () => !(await server.redis.exists(`bull:stalled:${job.id}:lock`)));
  assert.equal(await queue.getActiveCount(), 1);

  const worker = await ours.work({ queue: 'stalled', stalledInterval: 100, maxStalledCount: 1 });
  assert.equal(await heard, job.id);
  await waitFor('the end', async () => (await queue.getJob(job.id)).returnvalue === 'ours');
  await ours.closeWorker({ worker });
  await ours.closeWorker({ worker: blind });
});

test('a worker that waits asks again after its drain delay, and hears of a job at once', async (t) => {
  const queue = queueOf(t, 'drain');
  await queue.waitUntilReady();
  const asked = async () => Number((await server.redis.info('commandstats')).match(/cmdstat_bzpopmin:calls=(\d+)/)?.[1] ?? 0);
  const quick = await ours.work({ queue: 'drain', drainDelay: 50 });
  const before = await asked();
  await waitFor('it to ask over and over', async () => (await asked()) > before + 3);
  await ours.closeWorker({ worker: quick });

  const patient = await ours.work({ queue: 'drain', drainDelay: 600_000 });
  await waitFor('it to wait', async () => (await server.redis.client('LIST')).includes('cmd=bzpopmin'));
  await queue.add('job', {});
  await waitFor('the end', async () => (await queue.getCompletedCount()) === 1);
  await ours.closeWorker({ worker: patient });
});

test('the longest rest of a worker ends before the rate limit of its queue, and no job is taken too early', async (t) => {
  const queue = queueOf(t, 'rest');
  const worker = await ours.work({ queue: 'rest', maximumRateLimitDelay: 50, limiter: { max: 1000, duration: 1000 } });
  await waitFor('it to wait', async () => (await server.redis.client('LIST')).includes('cmd=bzpopmin'));
  await queue.rateLimit(700);
  const until = Date.now() + (await queue.getRateLimitTtl());
  await queue.add('job', {});

  await waitFor('the end', async () => (await queue.getCompletedCount()) === 1);
  assert.ok((await queue.getJob('1')).processedOn >= until - 5);
  await ours.closeWorker({ worker });
});

test('connections of ours that are killed over and over lose no job that BullMQ adds', async (t) => {
  const queue = queueOf(t, 'killed');
  const worker = await ours.work({ queue: 'killed', concurrency: 4, lockDuration: 2000, stalledInterval: 200, maxStalledCount: 100 });
  await waitFor('it to be listed', async () => (await queue.getWorkersCount()) === 1);
  let added = 0;
  for (let round = 0; round < 20; round++) {
    await queue.addBulk(Array.from({ length: 25 }, (_, n) => ({ name: 'job', data: { result: added + n }, opts: { attempts: 3 } })));
    added += 25;
    for (const { id } of await queue.getWorkers()) await server.redis.client('KILL', 'ID', id);
    await waitFor('it to come back', async () => (await queue.getWorkersCount()) === 1);
  }

  await waitFor('all', async () => (await queue.getCompletedCount()) === added, 60_000);
  assert.equal(await queue.getFailedCount(), 0);
  const values = (await queue.getCompleted(0, added)).map((job) => job.returnvalue).sort((a, b) => a - b);
  assert.deepEqual(values, Array.from({ length: added }, (_, n) => n));
  await ours.closeWorker({ worker });
});

test('a queue of ours that leaves meta alone leaves it as BullMQ does', async (t) => {
  const theirs = closing(t, new Queue('plain', { connection: server.connection, prefix: 'node', skipMetasUpdate: true }));
  await theirs.add('job', {});
  await ours.add({ queue: 'plain', prefix: 'c', skipMetasUpdate: true, name: 'job', data: {} });

  assert.deepEqual(await server.redis.hgetall('c:plain:meta'), await server.redis.hgetall('node:plain:meta'));
  assert.equal(await server.redis.hexists('c:plain:meta', 'version'), 0);
});

test('a client of ours that is made before its server gets ready adds what BullMQ then runs', async (t) => {
  await server.redis.client('PAUSE', 300, 'ALL');
  const early = startPeer(server.url);
  t.after(() => early.stop());
  const id = await early.add({ queue: 'early', name: 'job', data: {} });

  const worker = closing(t, new Worker('early', async () => 'theirs', { connection: server.connection }));
  await worker.waitUntilReady();
  const queue = queueOf(t, 'early');
  await waitFor('the end', async () => (await queue.getCompletedCount()) === 1);
  assert.equal((await queue.getJob(id.id ?? id)).returnvalue, 'theirs');
});
