// We work on BullMQ's queues: what we leave in Redis is what its Worker leaves, its events and getters see it, and both share a queue.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DelayedError, FlowProducer, Queue, QueueEvents, RateLimitError, UnrecoverableError, Worker } from 'bullmq';
import { alike, assertEachMadeOnce, atOneMoment, dump, startPeer, startRedis, unfinished, waitFor } from './lib.mjs';

let server, ours;
const opened = [];

/** `new Kind(...args)`, closed at the end whatever happens to the test: BullMQ's clients would try to connect for ever. */
function open(Kind, ...args) {
  opened.push(new Kind(...args));
  return opened.at(-1);
}

before(async () => {
  server = await startRedis();
  ours = startPeer(server.url);
});

after(async () => {
  await Promise.allSettled(opened.map((one) => (one instanceof Worker ? one.close(true) : one.close())));
  await ours.stop();
  await server.stop();
});

/** What tests_peer's processor does (see peer_worker.c), in BullMQ's words. */
async function processor(job, token) {
  const d = job.data;
  if (d.progress !== undefined) await job.updateProgress(d.progress);
  for (const row of d.log ?? []) await job.log(row);
  if (d.workMs) await new Promise((resolve) => setTimeout(resolve, d.workMs));
  if (d.fail && job.attemptsMade < (d.failTimes ?? Infinity)) throw new Error(d.fail);
  if (d.giveUp) throw new UnrecoverableError(d.giveUp);
  if (d.delayMs !== undefined && job.attemptsStarted === 1) {
    await atOneMoment((now) => job.moveToDelayed(now + d.delayMs, token));
    throw new DelayedError();
  }
  if (d.limitMs !== undefined && job.attemptsStarted === 1) {
    await this.rateLimit(d.limitMs);
    throw new RateLimitError();
  }
  return d.result ?? null;
}

function nodeWorker(name, prefix, opts = {}) {
  const worker = open(Worker, name, (job, token) => processor.call(worker, job, token), { connection: server.connection, prefix, ...opts });
  return worker;
}

async function ended(name, prefix, count) {
  const [completed, failed] = await Promise.all([server.redis.zcard(`${prefix}:${name}:completed`), server.redis.zcard(`${prefix}:${name}:failed`)]);
  return completed + failed >= count;
}

/** What differs by nature: Node's traces are stacks of JavaScript, so their number counts; jobs of the same ms are sorted by id. */
function comparable(keys) {
  for (const { type, value } of Object.values(keys)) {
    if (type === 'hash' && value.stacktrace) value.stacktrace = value.stacktrace.length;
    if (type === 'zset') value.sort();
  }
  return keys;
}

/** Each has its own words for a parent that can't complete yet. */
const UNFINISHED = ['Job p has pending dependencies. moveToFinished', 'the job has children that have not finished'];

/** Runs `fill(queue, prefix)`, then Node's worker on prefix `node` and ours on `c`; then all keys must be equal. */
async function assertSameEnd(name, fill, until, opts = {}) {
  for (const prefix of ['node', 'c']) {
    const queue = open(Queue, name, { connection: server.connection, prefix });
    await queue.waitUntilReady();
    await fill(queue, prefix);
    await queue.close();
  }
  // A marker is left by the last start of a job, until a worker that waits takes it.
  const idle = async (prefix) => (await until(prefix)) && !(await server.redis.exists(`${prefix}:${name}:marker`));
  const worker = nodeWorker(name, 'node', opts.node);
  await waitFor('Node to be through', () => idle('node'));
  await worker.close();
  const number = await ours.work({ queue: name, prefix: 'c', ...opts.ours });
  await waitFor('us to be through', () => idle('c'));
  await ours.closeWorker({ worker: number });
  await server.redis.del(`node:${name}:stalled-check`, `c:${name}:stalled-check`); // of the first one it may be over by now
  const rename = (prefix) => (text) => alike(prefix)(text.replace(`child ${prefix}:`, 'child P:').replace(...UNFINISHED));
  const [mine, theirs] = [await dump(server.redis, 'c:' + name, rename('c')), await dump(server.redis, 'node:' + name, rename('node'))];
  if (opts.anyDrained) for (const keys of [mine, theirs]) keys[`P:${name}:events`].value = keys[`P:${name}:events`].value.filter(({ event }) => event !== 'drained');
  assert.deepEqual(comparable(mine), comparable(theirs));
}

const addAll = (jobs) => (queue) => queue.addBulk(jobs.map((job) => ({ name: 'job', ...job })));

test('completed jobs are left as BullMQ leaves them', () =>
  assertSameEnd(
    'done',
    addAll([
      { data: { result: { a: [1, 'ü'] } } },
      { data: {} },
      { data: { result: 'text' }, opts: { priority: 3 } },
      { data: { result: 0 }, opts: { lifo: true } },
      { data: { progress: 42, log: ['one', 'two'] }, opts: { keepLogs: 1 } },
      { data: { progress: { page: 3 } }, opts: { removeOnComplete: true } },
      { data: {}, opts: { jobId: 'own', deduplication: { id: 'd1' } } },
      { data: {}, opts: { deduplication: { id: 'd2', ttl: 60000 } } },
    ]),
    async (prefix) => ended('done', prefix, 7),
  ));

test('failed jobs are left as BullMQ leaves them', () =>
  assertSameEnd(
    'failed',
    addAll([
      { data: { fail: 'always' } },
      { data: { fail: 'thrice' }, opts: { attempts: 3 } },
      { data: { fail: 'twice', failTimes: 2, result: 5 }, opts: { attempts: 3, stackTraceLimit: 1 } },
      { data: { giveUp: 'never again' }, opts: { attempts: 9 } },
      { data: { fail: 'gone' }, opts: { removeOnFail: true } },
      { data: { fail: 'prio' }, opts: { priority: 2, attempts: 2, lifo: true } },
      { data: { fail: 'no traces' }, opts: { stackTraceLimit: 0 } },
    ]),
    async (prefix) => ended('failed', prefix, 6),
  ));

// Each in a queue of its own: of two that are due while nobody looks the events would come in another order.
test('retries with backoff and jobs that put themselves off', async () => {
  const retried = { data: { fail: 'once', failTimes: 1 }, opts: { attempts: 3, backoff: { type: 'fixed', delay: 300 } } };
  await assertSameEnd('backoff', addAll([retried]), (prefix) => ended('backoff', prefix, 1));
  await assertSameEnd('put-off', addAll([{ data: { delayMs: 600 } }]), (prefix) => ended('put-off', prefix, 1));
});

test('retention by count and by age', () =>
  assertSameEnd(
    'retention',
    async (queue) => {
      await addAll(Array.from({ length: 12 }, (_, i) => ({ data: i % 3 ? { workMs: 3 } : { workMs: 3, fail: 'x' }, opts: { removeOnComplete: 3, removeOnFail: { count: 2 } } })))(queue);
      await addAll([{ data: {}, opts: { removeOnComplete: { age: 3600, count: 100 } } }])(queue);
    },
    async (prefix) => (await server.redis.llen(`${prefix}:retention:wait`)) + (await server.redis.llen(`${prefix}:retention:active`)) === 0,
  ));

test('retention of the worker', () =>
  assertSameEnd(
    'worker-retention',
    addAll([{ data: {} }, { data: {} }, { data: {}, opts: { removeOnComplete: false } }, { data: {} }, { data: { fail: 'x' } }, { data: { fail: 'x' } }]),
    async (prefix) => (await server.redis.llen(`${prefix}:worker-retention:wait`)) + (await server.redis.llen(`${prefix}:worker-retention:active`)) === 0,
    {
      node: { removeOnComplete: { count: 2 }, removeOnFail: { count: 1 } },
      ours: { removeOnComplete: { count: 2 }, removeOnFail: { count: 1 } },
    },
  ));

test('the name of the worker is left on the job', () =>
  assertSameEnd('named', addAll([{ data: {} }]), async (prefix) => ended('named', prefix, 1), { node: { name: 'w7' }, ours: { name: 'w7' } }));

test('a queue under its global rate limit and concurrency', () =>
  assertSameEnd(
    'limited',
    async (queue) => {
      await queue.setGlobalRateLimit(2, 400);
      await queue.setGlobalConcurrency(1);
      await addAll([{ data: {} }, { data: {} }, { data: {} }])(queue);
    },
    async (prefix) => (await ended('limited', prefix, 3)) && !(await server.redis.exists(`${prefix}:limited:limiter`)),
    { anyDrained: true }, // a queue that rests by then does not say it
  ));

/** A flow with one child for each policy, and its end. */
const policies = { none: {}, fail: { failParentOnFailure: true }, go: { continueParentOnFailure: true }, ignore: { ignoreDependencyOnFailure: true }, remove: { removeDependencyOnFailure: true } };
for (const [policy, opts] of Object.entries(policies)) {
  test(`a flow whose child fails with policy ${policy}`, () => {
    const name = `flow-${policy}`;
    return assertSameEnd(
      name,
      async (queue, prefix) => {
        const flows = open(FlowProducer, { connection: server.connection, prefix });
        await flows.add({
          name: 'parent',
          queueName: name,
          data: {},
          opts: { jobId: 'p' },
          children: [
            { name: 'good', queueName: name, data: { result: 1 }, opts: { jobId: 'c1' } },
            { name: 'bad', queueName: name, data: { fail: 'bad child' }, opts: { jobId: 'c2', ...opts } },
            { name: 'last', queueName: name, data: { result: 3 }, opts: { jobId: 'c3' } },
          ],
        });
        await flows.close();
      },
      (prefix) => ended(name, prefix, policy === 'none' ? 3 : 4),
    );
  });
}

test('a flow over three levels and two queues ends, its parents prioritized and delayed', () =>
  assertSameEnd(
    'deep',
    async (queue, prefix) => {
      const flows = open(FlowProducer, { connection: server.connection, prefix });
      await flows.add({
        name: 'root',
        queueName: 'deep',
        data: {},
        opts: { jobId: 'root', delay: 200 },
        children: [
          {
            name: 'mid',
            queueName: 'deep',
            data: {},
            opts: { jobId: 'mid', priority: 4 },
            children: [{ name: 'leaf', queueName: 'deep', data: { result: 'leaf' }, opts: { jobId: 'leaf', removeOnComplete: true } }],
          },
        ],
      });
      await flows.close();
    },
    async (prefix) => ended('deep', prefix, 2),
  ));

test('what was deduplicated while its owner ran becomes the next job', () =>
  assertSameEnd(
    'dedup-last',
    async (queue, prefix) => {
      const opts = { deduplication: { id: 'only', keepLastIfActive: true } };
      await queue.add('first', { result: 1 }, opts);
      // As if it had been added while the first one ran.
      await server.redis.hset(`${prefix}:dedup-last:dn:only`, { name: 'second', data: '{"result":2}', opts: JSON.stringify({ attempts: 0, de: opts.deduplication }), jid: '77' });
    },
    async (prefix) => ended('dedup-last', prefix, 2),
  ));

test('QueueEvents, getters, logs and getWorkers see our worker', async () => {
  const connection = server.connection;
  const queue = open(Queue, 'seen', { connection });
  const events = open(QueueEvents, 'seen', { connection, lastEventId: '0-0' }); // one that reads from '$' misses what happens before its first read
  await events.waitUntilReady();
  const seen = [];
  for (const kind of ['active', 'progress', 'completed', 'failed', 'retries-exhausted', 'drained']) events.on(kind, (args) => seen.push([kind, args]));
  const worker = await ours.work({ queue: 'seen', name: 'sea worker'.replace(' ', '-') });
  await waitFor('getWorkers to list us', async () => (await queue.getWorkers()).some((w) => w.rawname?.endsWith(':w:sea-worker')));

  const good = await queue.add('good', { progress: { at: 7 }, log: ['hello'], result: { n: 1 } });
  assert.deepEqual(await good.waitUntilFinished(events, 60_000), { n: 1 });
  const bad = await queue.add('bad', { fail: 'it broke' });
  await assert.rejects(bad.waitUntilFinished(events, 60_000), /it broke/);

  await waitFor('all events', () => seen.some(([kind]) => kind === 'retries-exhausted') && seen.filter(([kind]) => kind === 'drained').length >= 2);
  const of = (kind) => seen.filter(([k]) => k === kind).map(([, args]) => args);
  assert.deepEqual(of('active').map(({ jobId, prev }) => [jobId, prev]), [[good.id, 'waiting'], [bad.id, 'waiting']]);
  assert.deepEqual(of('progress'), [{ jobId: good.id, data: { at: 7 } }]);
  assert.deepEqual(of('completed'), [{ jobId: good.id, returnvalue: { n: 1 }, prev: 'active' }]);
  assert.deepEqual(of('failed'), [{ jobId: bad.id, failedReason: 'it broke', prev: 'active' }]);
  assert.deepEqual(of('retries-exhausted'), [{ jobId: bad.id, attemptsMade: '1' }]);
  const job = await queue.getJob(bad.id);
  assert.equal(job.failedReason, 'it broke');
  assert.equal(job.attemptsMade, 1);
  assert.equal(job.processedBy, 'sea-worker');
  assert.deepEqual((await queue.getJobLogs(good.id)).logs, ['hello']);
  const counts = await queue.getJobCounts();
  assert.deepEqual([counts.completed, counts.failed, counts.active, counts.waiting], [1, 1, 0, 0]);
  await ours.closeWorker({ worker });
  await Promise.all([queue.close(), events.close()]);
});

test('a delayed job of BullMQ is run at its time', async () => {
  const queue = open(Queue, 'delayed', { connection: server.connection });
  const worker = await ours.work({ queue: 'delayed', drainDelay: 600_000 });
  // A busy machine makes one late, and another: a worker that is late by itself makes each so.
  await waitFor('one that is not late', async () => {
    const job = await queue.add('later', {}, { delay: 250 });
    await waitFor('the job', () => job.isCompleted());
    const { processedOn, timestamp } = await queue.getJob(job.id);
    assert.ok(processedOn - timestamp >= 250, `ran after ${processedOn - timestamp} ms`);
    return processedOn - timestamp < 400;
  });
  await ours.closeWorker({ worker });
  await queue.close();
});

test('pause and resume by BullMQ hold and wake our worker', async () => {
  const queue = open(Queue, 'paused', { connection: server.connection });
  const worker = await ours.work({ queue: 'paused', drainDelay: 600_000 });
  await queue.pause();
  await queue.add('job', {});
  assert.equal((await queue.getJobCounts()).completed, 0);
  await queue.resume();
  await waitFor('the job', async () => (await queue.getJobCounts()).completed === 1);
  await ours.closeWorker({ worker });
  await queue.close();
});

test("BullMQ's workers and ours share a queue: each job is done once", async () => {
  const JOBS = 3000;
  const queue = open(Queue, 'shared', { connection: server.connection, streams: { events: { maxLen: 100_000 } } });
  await queue.waitUntilReady();
  await queue.addBulk(Array.from({ length: JOBS }, (_, n) => ({ name: 'job', data: n % 10 ? { result: n } : { fail: 'again', failTimes: 1, result: n }, opts: { attempts: 2, priority: n % 7 === 0 ? 5 : 0 } })));
  // Theirs holds its first jobs until ours has done one: so both are at work, however fast one of them is.
  let go;
  const gate = new Promise((resolve) => (go = resolve));
  const gated = async (job) => (await gate, processor(job));
  const theirs = [open(Worker, 'shared', gated, { connection: server.connection, concurrency: 5, name: 'node' })];
  await waitFor('theirs to have jobs', async () => (await queue.getActiveCount()) === 5);
  const mine = [await ours.work({ queue: 'shared', concurrency: 5, name: 'c' }), await ours.work({ queue: 'shared', name: 'c' })];
  await waitFor('ours to have done some', () => ended('shared', 'bull', 20));
  go();
  await waitFor('all jobs', () => ended('shared', 'bull', JOBS), 180_000);
  await Promise.all(theirs.map((w) => w.close()));
  for (const worker of mine) await ours.closeWorker({ worker });

  const done = (await server.redis.xrange('bull:shared:events', '-', '+')).filter(([, f]) => f[1] === 'completed').map(([, f]) => f[3]);
  assert.equal(done.length, JOBS);
  assert.equal(new Set(done).size, JOBS);
  const by = (await Promise.all(done.map((id) => server.redis.hget(`bull:shared:${id}`, 'pb')))).reduce((n, who) => ({ ...n, [who]: (n[who] ?? 0) + 1 }), {});
  assert.ok(by.c > 0 && by.node > 0, JSON.stringify(by));
  await queue.close();
});

test('jobs of a killed worker of ours are taken over by BullMQ, and the other way round', async () => {
  const queue = open(Queue, 'killed', { connection: server.connection });
  await queue.add('long', { workMs: 60_000 });
  const doomed = startPeer(server.url);
  await doomed.work({ queue: 'killed', lockDuration: 300, skipStalledCheck: true, concurrency: 2 });
  await waitFor('it to run', async () => (await queue.getActiveCount()) === 1);
  await server.redis.hset('bull:killed:1', 'data', '{"result":"saved"}');
  await doomed.kill();
  const worker = nodeWorker('killed', 'bull', { stalledInterval: 100 });
  await waitFor('Node to finish it', async () => (await queue.getCompletedCount()) === 1);
  await worker.close();

  await server.redis.hset('bull:killed:dead', { name: 'x', data: '{"result":2}', opts: '{}', timestamp: '1' });
  await server.redis.lpush('bull:killed:active', 'dead');
  const number = await ours.work({ queue: 'killed', stalledInterval: 100 });
  await waitFor('us to finish it', async () => (await queue.getCompletedCount()) === 2);
  const job = await queue.getJob('dead');
  assert.equal(job.stalledCounter, 1);
  await ours.closeWorker({ worker: number });
  await queue.close();
});

test('a job handed back at close keeps its attempts, and BullMQ runs it next', async () => {
  const queue = open(Queue, 'handed', { connection: server.connection });
  await queue.addBulk([{ name: 'first', data: { workMs: 60_000 } }, { name: 'second', data: {} }]);
  const number = await ours.work({ queue: 'handed' });
  await waitFor('it to run', async () => (await ours.workerStats({ worker: number })).running === 1);
  assert.equal(await ours.closeWorker({ worker: number, drainMs: 10 }), 1);
  await server.redis.hset('bull:handed:1', 'data', '{}');
  const order = [];
  const worker = open(Worker, 'handed', async (job) => order.push(job.name), { connection: server.connection });
  await waitFor('both', async () => (await queue.getCompletedCount()) === 2);
  assert.deepEqual(order, ['first', 'second']);
  assert.equal((await queue.getJob('1')).attemptsMade, 1);
  await Promise.all([worker.close(), queue.close()]);
});

test("jobs of BullMQ's schedulers run here and each makes the next one", async () => {
  const queue = open(Queue, 'ticking', { connection: server.connection });
  await queue.upsertJobScheduler('fast', { every: 100 }, { name: 'tick', data: { result: 'tock' } });
  const worker = await ours.work({ queue: 'ticking', drainDelay: 600_000 });
  await waitFor('five ticks', async () => (await queue.getCompletedCount()) >= 5);
  await ours.closeWorker({ worker });
  const done = await queue.getCompleted();
  assert.ok(done.every((job) => job.id.startsWith('repeat:fast:') && job.returnvalue === 'tock'));
  const left = await unfinished(server.redis, 'bull:ticking');
  await assertEachMadeOnce(server.redis, 'bull:ticking', 'fast', done.map((job) => job.id), left);
  await queue.close();
});

test('a job that its service limits goes back to the head, and the queue rests', () => {
  const limiter = { max: 1000, duration: 60_000 };
  return assertSameEnd(
    'resting',
    addAll([{ data: { limitMs: 700 }, opts: { attempts: 2 } }, { data: { limitMs: 300 }, opts: { priority: 3 } }, { data: { result: 1 } }]),
    async (prefix) => ended('resting', prefix, 3),
    { node: { limiter }, ours: { limiter } },
  );
});

test('exponential backoff and backoff with jitter wait as long as in BullMQ', async () => {
  const exponential = { attempts: 9, backoff: { type: 'exponential', delay: 60_000 } }, jitter = { attempts: 9, backoff: { type: 'fixed', delay: 60_000, jitter: 0.5 } };
  const made = [0, 1, 2, 3]; // attempts before
  const waits = {};
  for (const prefix of ['node', 'c']) {
    const queue = open(Queue, 'waits', { connection: server.connection, prefix });
    await queue.waitUntilReady();
    const names = [...made.map((n) => ['e' + n, exponential]), ...Array.from({ length: 8 }, (_, n) => ['j' + n, jitter])];
    await addAll(names.map(([jobId, opts]) => ({ data: { fail: 'no' }, opts: { jobId, ...opts } })))(queue);
    for (const n of made) await server.redis.hset(`${prefix}:waits:e${n}`, 'atm', n);
    const worker = prefix === 'node' ? nodeWorker('waits', prefix) : await ours.work({ queue: 'waits', prefix });
    await waitFor('all to wait', async () => (await queue.getDelayedCount()) === names.length);
    await (prefix === 'node' ? worker.close() : ours.closeWorker({ worker }));
    const delayed = (await server.redis.xrange(`${prefix}:waits:events`, '-', '+')).filter(([, f]) => f[1] === 'delayed');
    // The event's own id tells when it was: BullMQ's worker needs a while to send what it computed.
    for (const [at, f] of delayed) assert.ok(Number(f[5]) - Number(at.split('-')[0]) <= Number(await server.redis.hget(`${prefix}:waits:${f[3]}`, 'delay')), `${prefix}: ${f}`);
    waits[prefix] = (kind) => Promise.all(names.filter(([id]) => id.startsWith(kind)).map(async ([id]) => Number(await server.redis.hget(`${prefix}:waits:${id}`, 'delay'))));
    await queue.close();
  }
  for (const side of ['node', 'c']) {
    assert.deepEqual(await waits[side]('e'), made.map((n) => 60_000 * 2 ** n), side);
    const jittered = await waits[side]('j');
    assert.ok(jittered.every((ms) => ms >= 30_000 && ms <= 60_000) && new Set(jittered).size > 1, `${side}: ${jittered}`);
  }
});

test('jobs are served in the same order: at once, lifo, by priority, first in first out, delayed', async () => {
  const jobs = [
    ['a', {}], ['b', { priority: 5 }], ['c', {}], ['d', { priority: 1 }], ['e', { lifo: true }], ['f', { priority: 5 }], ['g', { lifo: true }],
    ['h', { priority: 2_097_151 }], ['i', { delay: 1 }], ['j', { priority: 1, delay: 1 }], ['k', { priority: 1 }], ['l', {}],
  ].map(([name, opts]) => ({ name, data: {}, opts }));
  const orders = {};
  for (const prefix of ['node', 'c']) {
    const queue = open(Queue, 'order', { connection: server.connection, prefix });
    await queue.pause();
    // Each works on what the other added.
    await (prefix === 'node' ? ours.addBulk({ queue: 'order', prefix, jobs }) : queue.addBulk(jobs));
    await new Promise((resolve) => setTimeout(resolve, 5)); // the delayed ones are due
    const worker = prefix === 'node' ? nodeWorker('order', prefix) : await ours.work({ queue: 'order', prefix });
    await queue.resume();
    await waitFor('all', () => ended('order', prefix, jobs.length));
    await (prefix === 'node' ? worker.close() : ours.closeWorker({ worker }));
    const active = (await server.redis.xrange(`${prefix}:order:events`, '-', '+')).filter(([, f]) => f[1] === 'active').map(([, f]) => f[3]);
    orders[prefix] = await Promise.all(active.map((id) => server.redis.hget(`${prefix}:order:${id}`, 'name')));
    await queue.close();
  }
  assert.deepEqual(orders.c, orders.node);
});

test("a worker's limit counts the jobs of both sides", async () => {
  const queue = open(Queue, 'shared-limit', { connection: server.connection });
  await queue.addBulk(Array.from({ length: 20 }, () => ({ name: 'job', data: {} })));
  const limiter = { max: 5, duration: 400 };
  const theirs = nodeWorker('shared-limit', 'bull', { limiter, concurrency: 2, name: 'node' });
  const mine = await ours.work({ queue: 'shared-limit', limiter, concurrency: 2, name: 'c' });
  await waitFor('all jobs', () => ended('shared-limit', 'bull', 20));
  await theirs.close();
  await ours.closeWorker({ worker: mine });

  const started = (await queue.getCompleted()).map((job) => job.processedOn).sort((a, b) => a - b);
  assert.ok(started[19] - started[0] >= 3 * 400 - 20, `20 jobs in ${started[19] - started[0]} ms`);
  await queue.close();
});

test('a job that stalled too often is failed by the next worker, unrun, whichever side found it', async () => {
  for (const prefix of ['node', 'c']) {
    const queue = open(Queue, 'often', { connection: server.connection, prefix });
    await queue.add('poison', {}, { attempts: 5 });
    await queue.pause();
    await server.redis.lmove(`${prefix}:often:wait`, `${prefix}:often:active`, 'LEFT', 'LEFT');
    await server.redis.hset(`${prefix}:often:1`, 'stc', 1);
    const finder = prefix === 'node' ? nodeWorker('often', prefix, { stalledInterval: 50 }) : await ours.work({ queue: 'often', prefix, stalledInterval: 50 });
    await waitFor('it to be found', async () => (await server.redis.hget(`${prefix}:often:1`, 'defa')) === 'job stalled more than allowable limit');
    await (prefix === 'node' ? finder.close() : ours.closeWorker({ worker: finder }));
    await server.redis.del(`${prefix}:often:stalled-check`, `${prefix}:often:stalled`);
    await queue.resume();
    // The other side fails it.
    const failer = prefix === 'c' ? nodeWorker('often', prefix) : await ours.work({ queue: 'often', prefix });
    await waitFor('it to fail', () => ended('often', prefix, 1));
    await (prefix === 'c' ? failer.close() : ours.closeWorker({ worker: failer }));
    const job = await queue.getJob('1');
    assert.deepEqual([job.failedReason, job.attemptsMade, job.attemptsStarted, job.stalledCounter, job.stacktrace.length], ['job stalled more than allowable limit', 1, 1, 2, 1]);
    assert.equal(await server.redis.hexists(`${prefix}:often:1`, 'defa'), 0);
    await queue.close();
  }
});

test('a worker that is paused takes nothing, and a Worker of BullMQ goes on', async () => {
  const queue = open(Queue, 'resting-here', { connection: server.connection });
  const mine = await ours.work({ queue: 'resting-here', name: 'c' });
  await ours.pauseWorker({ worker: mine });
  await queue.addBulk(Array.from({ length: 10 }, () => ({ name: 'job', data: {} })));
  const theirs = nodeWorker('resting-here', 'bull', { name: 'node' });
  await waitFor('theirs', () => ended('resting-here', 'bull', 10));
  assert.ok((await queue.getCompleted()).every((job) => job.processedBy === 'node'));
  await theirs.close();
  await queue.add('job', {});
  await ours.resumeWorker({ worker: mine });
  await waitFor('ours', () => ended('resting-here', 'bull', 11));
  assert.equal((await queue.getJob('11')).processedBy, 'c');
  await ours.closeWorker({ worker: mine });
  await queue.close();
});

test("a scheduler's job that is tried again makes no second chain of jobs", async () => {
  const queue = open(Queue, 'chain', { connection: server.connection });
  await queue.upsertJobScheduler('s', { every: 150 }, { name: 'tick', data: { fail: 'no' }, opts: { attempts: 3, backoff: { type: 'fixed', delay: 10 } } });
  const mine = await ours.work({ queue: 'chain', concurrency: 3, drainDelay: 500 });
  await waitFor('four ticks', async () => (await queue.getFailedCount()) >= 4);
  await ours.closeWorker({ worker: mine });
  const failed = await queue.getFailed();
  assert.ok(failed.every((job) => job.attemptsMade === 3));
  const left = await unfinished(server.redis, 'bull:chain');
  const times = await assertEachMadeOnce(server.redis, 'bull:chain', 's', failed.map((job) => job.id), left);
  assert.deepEqual(times.map((at) => at % 150), times.map(() => times[0] % 150));
  await queue.removeJobScheduler('s');
  await queue.close();
});
