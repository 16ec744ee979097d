// What touches many jobs: drain, clean, retry and promote of all, obliterate. By BullMQ and by us on the same data, with the same result.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FlowProducer, Queue, Worker } from 'bullmq';
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

const T = 1_700_000_000_000;
const same = (t, name, calls) => sameEffect(t, server, Queue, name, calls);

/** Jobs in every waiting state, some with logs or a deduplication id. */
async function fill(queue) {
  await queue.addBulk([
    { name: 'a', data: {}, opts: { timestamp: T } },
    { name: 'b', data: {} },
    { name: 'c', data: {}, opts: { deduplication: { id: 'once' }, timestamp: T } },
    { name: 'd', data: {}, opts: { priority: 4, timestamp: T } },
    { name: 'e', data: {}, opts: { priority: 4 } },
    { name: 'f', data: {}, opts: { delay: 60_000, timestamp: T } },
    { name: 'g', data: {}, opts: { delay: 60_000_000 } },
  ]);
  await (await queue.getJob('1')).log('a row');
}

/** Runs `count` jobs; those called "bad" fail. What is the worker's own business is put away. */
async function work(name, prefix, count) {
  let ended = 0;
  const worker = new Worker(
    name,
    async (job) => {
      if (job.name === 'bad') throw new Error('bad job');
      return { ok: job.id };
    },
    { connection: server.connection, prefix },
  );
  worker.on('completed', () => ended++);
  worker.on('failed', () => ended++);
  await waitFor('the jobs to end', () => ended === count).finally(() => worker.close());
  await server.redis.del(`${prefix}:${name}:marker`, `${prefix}:${name}:stalled-check`);
  for (const id of await server.redis.zrange(`${prefix}:${name}:failed`, 0, -1)) await server.redis.hset(`${prefix}:${name}:${id}`, 'stacktrace', '[]');
}

for (const delayed of [false, true])
  test(`drain ${delayed ? 'with' : 'without'} the delayed has the same effect`, (t) =>
    same(t, `drain-${delayed}`, { prepare: fill, theirs: (queue) => queue.drain(delayed), mine: (where) => ours.drain({ ...where, delayed }) }));

test('drain keeps the job that a scheduler waits for, as BullMQ does', async (t) => {
  for (const prefix of ['node', 'c']) {
    const queue = closing(t, new Queue('drain-scheduler', { connection: server.connection, prefix }));
    const kept = await queue.upsertJobScheduler('s', { every: 3_600_000, startDate: Date.now() + 600_000 }, { name: 'n' });
    await queue.add('a', {}, { delay: 60_000, timestamp: T });
    if (prefix === 'node') await queue.drain(true);
    else assert.equal(await ours.drain({ queue: 'drain-scheduler', prefix, delayed: true }), 1);
    assert.deepEqual((await queue.getDelayed()).map((job) => job.id), [kept.id], prefix);
    assert.equal((await queue.getJobScheduler('s')).key, 's');
  }
});

async function addFlow(prefix, parentQueue, childQueue) {
  const flows = new FlowProducer({ connection: server.connection, prefix });
  await flows.add({ name: 'p', queueName: parentQueue, opts: { jobId: 'p', timestamp: T }, children: [{ name: 'k', queueName: childQueue, opts: { jobId: 'k', timestamp: T } }] });
  await flows.close();
}

test('drain takes a parent of the same queue along', (t) =>
  same(t, 'drain-flow', {
    prepare: (queue, prefix) => addFlow(prefix, 'drain-flow', 'drain-flow'),
    theirs: (queue) => queue.drain(),
    mine: (where) => ours.drain(where),
  }));

test('drain makes a parent of another queue ready', async (t) => {
  for (const prefix of ['node', 'c']) await addFlow(prefix, 'drain-parents', 'drain-kids');
  await closing(t, new Queue('drain-kids', { connection: server.connection, prefix: 'node' })).drain();
  await ours.drain({ queue: 'drain-kids', prefix: 'c' });
  for (const prefix of ['node', 'c']) {
    assert.deepEqual(await server.redis.lrange(`${prefix}:drain-parents:wait`, 0, -1), ['p']);
    assert.deepEqual(await server.redis.zrange(`${prefix}:drain-parents:marker`, 0, -1), ['0']);
    assert.equal(await server.redis.exists(`${prefix}:drain-kids:k`, `${prefix}:drain-kids:wait`), 0);
  }
});

for (const [theirName, state] of [['wait', 'waiting'], ['prioritized', 'prioritized'], ['delayed', 'delayed']])
  test(`clean of ${state} jobs has the same effect, and the young stay`, (t) =>
    same(t, `clean-${state}`, {
      prepare: fill,
      theirs: (queue) => queue.clean(3_600_000, 1000, theirName),
      mine: async (where) => assert.equal(await ours.clean({ ...where, state, grace: 3_600_000, limit: 1000 }), state === 'waiting' ? 2 : 1),
    }));

for (const state of ['completed', 'failed'])
  for (const limit of [0, 2])
    test(`clean of ${state} jobs with limit ${limit} has the same effect`, (t) => {
      const name = `clean-${state}-${limit}`;
      return same(t, name, {
        prepare: async (queue, prefix) => {
          await queue.addBulk(['good', 'bad', 'good', 'bad', 'good', 'bad'].map((job) => ({ name: job, data: {} })));
          await work(name, prefix, 6);
        },
        theirs: (queue) => queue.clean(0, limit, state),
        mine: async (where) => assert.equal(await ours.clean({ ...where, state, limit }), limit || 3),
      });
    });

test('clean leaves active jobs that a worker has', (t) =>
  same(t, 'clean-active', {
    prepare: async (queue, prefix) => {
      await fill(queue);
      await server.redis.rpoplpush(`${prefix}:clean-active:wait`, `${prefix}:clean-active:active`);
      await server.redis.rpoplpush(`${prefix}:clean-active:wait`, `${prefix}:clean-active:active`);
      await server.redis.set(`${prefix}:clean-active:2:lock`, 'token', 'PX', 60_000);
    },
    theirs: (queue) => queue.clean(0, 0, 'active'),
    mine: async (where) => assert.equal(await ours.clean({ ...where, state: 'active' }), 1),
  }));

for (const state of ['failed', 'completed'])
  test(`retry of all ${state} jobs has the same effect`, (t) => {
    const name = `again-${state}`;
    return same(t, name, {
      prepare: async (queue, prefix) => {
        await queue.addBulk(['good', 'bad', 'good', 'bad'].map((job) => ({ name: job, data: {} })));
        await work(name, prefix, 4);
      },
      theirs: (queue) => queue.retryJobs({ state }),
      mine: async (where) => assert.equal(await ours.retryJobs({ ...where, state }), 2),
    });
  });

test('promote of all delayed jobs has the same effect', (t) =>
  same(t, 'promote-all', { prepare: fill, theirs: (queue) => queue.promoteJobs(), mine: async (where) => assert.equal(await ours.promoteJobs(where), 2) }));

test('obliterate leaves nothing, as BullMQ does', (t) =>
  same(t, 'gone', {
    prepare: async (queue, prefix) => {
      await queue.addBulk(['good', 'bad'].map((job) => ({ name: job, data: {} })));
      await work('gone', prefix, 2);
      await fill(queue);
      await queue.upsertJobScheduler('s', { every: 3_600_000, startDate: Date.now() + 600_000 }, { name: 'n' });
    },
    theirs: (queue) => queue.obliterate(),
    mine: async (where) => {
      await ours.obliterate(where);
      await waitFor('it to be gone', async () => (await server.redis.keys('c:gone:*')).length === 0);
    },
  }));

test('obliterate of a queue with active jobs needs force', async (t) => {
  const queue = closing(t, new Queue('busy', { connection: server.connection }));
  await queue.add('a', {});
  await server.redis.rpoplpush('bull:busy:wait', 'bull:busy:active');
  await server.redis.set('bull:busy:1:lock', 'token');
  await assert.rejects(ours.obliterate({ queue: 'busy' }), { code: 'SC_EBUSY' });
  assert.equal(await queue.isPaused(), true);
  await ours.obliterate({ queue: 'busy', force: true });
  assert.deepEqual(await server.redis.keys('bull:busy:*'), []);
});

test('jobs that are in no state are removed as by BullMQ', (t) =>
  same(t, 'orphans', {
    prepare: async (queue, prefix) => {
      const key = (suffix) => `${prefix}:orphans:${suffix}`;
      const jobs = await queue.addBulk([{}, {}, {}, { delay: 60_000 }, { delay: 60_000 }, { priority: 2 }, { priority: 2 }].map((opts) => ({ name: 'n', data: {}, opts })));
      await jobs[1].log('row'); // BullMQ takes the delay marker, "1", for a state of job 1
      await server.redis.lrem(key('wait'), 1, jobs[1].id);
      await server.redis.zrem(key('delayed'), jobs[3].id);
      await server.redis.zrem(key('prioritized'), jobs[5].id);
      await server.redis.rpush(key('77:logs'), 'left over');
      await server.redis.hset(key('repeat:s'), 'ic', 1);
    },
    theirs: async (queue) => assert.equal(await queue.removeOrphanedJobs(), 4),
    mine: async (where) => assert.equal(await ours.removeOrphans(where), 4),
  }));
