// Settings of a queue: global concurrency and rate limit, the limiter's time, counts per priority, cut of the events. By BullMQ and by us, with the same result.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { closing, sameEffect, startPeer, startRedis, waitFor } from './lib.mjs';

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

test('global concurrency and rate limit have the same effect', (t) =>
  sameEffect(t, server, Queue, 'set', {
    theirs: async (queue) => {
      await queue.setGlobalConcurrency(7);
      await queue.setGlobalRateLimit(10, 5000);
      await queue.rateLimit(60_000);
    },
    mine: async (where) => {
      await ours.setGlobalConcurrency({ ...where, concurrency: 7 });
      await ours.setGlobalRateLimit({ ...where, max: 10, duration: 5000 });
      await ours.rateLimit({ ...where, duration: 60_000 });
    },
  }));

test('taking them away has the same effect', (t) =>
  sameEffect(t, server, Queue, 'unset', {
    prepare: async (queue) => {
      await queue.setGlobalConcurrency(7);
      await queue.setGlobalRateLimit(10, 5000);
    },
    theirs: async (queue) => {
      await queue.removeGlobalConcurrency();
      await queue.removeGlobalRateLimit();
    },
    mine: async (where) => {
      await ours.removeGlobalConcurrency(where);
      await ours.removeGlobalRateLimit(where);
    },
  }));

test('each side reads what the other set', async (t) => {
  const queue = queueOf(t, 'read');
  const where = { queue: 'read' };
  assert.equal(await ours.getGlobalConcurrency(where), await queue.getGlobalConcurrency());
  assert.equal(await ours.getGlobalRateLimit(where), await queue.getGlobalRateLimit());
  await queue.setGlobalConcurrency(3);
  await queue.setGlobalRateLimit(5, 1000);
  assert.equal(await ours.getGlobalConcurrency(where), 3);
  assert.deepEqual(await ours.getGlobalRateLimit(where), { max: 5, duration: 1000 });
  await ours.setGlobalConcurrency({ ...where, concurrency: 4 });
  assert.equal(await queue.getGlobalConcurrency(), 4);
});

test('the time of the limiter is the same, manual or by a limit', async (t) => {
  const queue = queueOf(t, 'ttl');
  const where = { queue: 'ttl' };
  assert.equal(await ours.getRateLimitTtl(where), 0);
  await ours.rateLimit({ ...where, duration: 600_000 });
  for (const maxJobs of [undefined, 1, 1000]) {
    const [before, mine, after] = [await queue.getRateLimitTtl(maxJobs), await ours.getRateLimitTtl({ ...where, maxJobs }), await queue.getRateLimitTtl(maxJobs)];
    assert.ok(before >= mine && mine >= after && after > 300_000, `${before} ms, ${mine} ms, ${after} ms`);
  }
  await server.redis.set('bull:ttl:limiter', '4', 'PX', 60_000);
  assert.equal(await ours.getRateLimitTtl({ ...where, maxJobs: 5 }), await queue.getRateLimitTtl(5));
  await queue.setGlobalRateLimit(5, 60_000);
  assert.equal(await ours.getRateLimitTtl(where), await queue.getRateLimitTtl());
  await server.redis.set('bull:ttl:limiter', '5', 'PX', 60_000);
  assert.ok((await ours.getRateLimitTtl(where)) > 30_000);
});

test('a rest is ended by either side', async (t) => {
  const queue = queueOf(t, 'rest');
  const where = { queue: 'rest' };
  await queue.rateLimit(60_000);
  assert.ok((await ours.getRateLimitTtl(where)) > 0);
  await ours.removeRateLimitKey(where);
  assert.ok((await queue.getRateLimitTtl()) <= 0);
  await ours.removeRateLimitKey(where);
  await ours.rateLimit({ ...where, duration: 60_000 });
  await queue.removeRateLimitKey();
  assert.equal(await ours.getRateLimitTtl(where), 0);
  assert.deepEqual(await server.redis.keys('bull:rest:limiter'), []);
});

test('the cap of the events holds for what the other side adds', async (t) => {
  for (const [name, prepare] of [
    ['theirs', () => closing(t, new Queue('theirs', { connection: server.connection, streams: { events: { maxLen: 50 } } })).waitUntilReady()],
    ['mine', () => ours.open({ queue: 'mine', maxEvents: 50 })],
  ]) {
    await prepare();
    await waitFor('the cap', async () => (await server.redis.hget(`bull:${name}:meta`, 'opts.maxLenEvents')) === '50');
    const jobs = Array.from({ length: 600 }, () => ({ name: 'job', data: {} }));
    if (name === 'theirs') await ours.addBulk({ queue: name, skipMetasUpdate: true, jobs });
    else await closing(t, new Queue(name, { connection: server.connection, skipMetasUpdate: true })).addBulk(jobs);
    const length = await server.redis.xlen(`bull:${name}:events`);
    assert.ok(length >= 50 && length <= 400, `${name}: ${length} events`); // to whole nodes of the stream: about
  }
});

test('a Worker of BullMQ obeys our global concurrency, and the queue is maxed', async (t) => {
  const queue = queueOf(t, 'maxed');
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await ours.setGlobalConcurrency({ queue: 'maxed', concurrency: 2 });
  await ours.addBulk({ queue: 'maxed', jobs: [1, 2, 3, 4].map((n) => ({ name: 'n' + n, data: {} })) });
  const worker = closing(t, new Worker('maxed', () => held, { connection: server.connection, concurrency: 4 }));
  await waitFor('two to run', async () => (await queue.getActiveCount()) === 2);
  assert.equal(await ours.isMaxed({ queue: 'maxed' }), true);
  assert.equal(await queue.isMaxed(), true);
  assert.equal((await ours.counts({ queue: 'maxed' })).waiting, 2);
  release();
  await waitFor('all to end', async () => (await queue.getCompletedCount()) === 4);
  assert.equal(await ours.isMaxed({ queue: 'maxed' }), false);
  await worker.close();
});

test('counts per priority are the same', async (t) => {
  const queue = queueOf(t, 'counts');
  for (const priority of [0, 0, 1, 5, 5, 5, 2_097_151]) await queue.add('n', {}, priority ? { priority } : {});
  const asked = [5, 0, 1, 7, 2_097_151];
  const theirs = await queue.getCountsPerPriority(asked);
  assert.deepEqual(await ours.priorityCounts({ queue: 'counts', priorities: asked }), asked.map((p) => theirs[p]));
});

test('the events are cut as by BullMQ', async (t) => {
  const queues = { node: closing(t, new Queue('cut', { connection: server.connection, prefix: 'node' })), c: closing(t, new Queue('cut', { connection: server.connection, prefix: 'c' })) };
  for (const queue of Object.values(queues)) await queue.addBulk(Array.from({ length: 700 }, () => ({ name: 'n', data: {} })));
  assert.equal(await ours.trimEvents({ queue: 'cut', prefix: 'c', keep: 150 }), await queues.node.trimEvents(150));
  assert.equal(await server.redis.xlen('c:cut:events'), await server.redis.xlen('node:cut:events'));
});
