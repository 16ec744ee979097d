// A parent's children: read as BullMQ reads them; taken away with the same effect.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FlowProducer, Queue, Worker } from 'bullmq';
import { alike, closing, dump, startPeer, startRedis, waitFor } from './lib.mjs';

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
const opts = (jobId, more) => ({ jobId, timestamp: T, ...more });

/** BullMQ adds a flow under two prefixes; then `theirs(queue)` acts on one, `mine(where)` on the other. All keys of all queues must be alike. */
async function assertSameEffect(t, flow, { prepare, theirs, mine, queue = 'a' }) {
  await server.redis.flushall();
  const queues = {};
  for (const prefix of ['node', 'c']) {
    const flows = closing(t, new FlowProducer({ connection: server.connection, prefix }));
    await flows.add(flow);
    queues[prefix] = closing(t, new Queue(queue, { connection: server.connection, prefix }));
    await queues[prefix].waitUntilReady();
    await waitFor('meta', () => server.redis.hexists(`${prefix}:${queue}:meta`, 'version'));
    await prepare?.(`${prefix}:`);
  }
  await theirs(queues.node);
  await mine({ queue, prefix: 'c' });
  assert.deepEqual(await dump(server.redis, 'c', alike('c')), await dump(server.redis, 'node', alike('node')));
}

const family = {
  name: 'parent',
  queueName: 'a',
  opts: opts('p', { priority: 3 }),
  children: [
    { name: 'one', queueName: 'b', opts: opts('c1') },
    { name: 'two', queueName: 'b', opts: opts('c2', { delay: 60_000 }) },
    {
      name: 'mid',
      queueName: 'b',
      opts: opts('m'),
      children: [
        { name: 'low', queueName: 'd', opts: opts('c3', { priority: 2 }) },
        { name: 'locked', queueName: 'b', opts: opts('c4') },
      ],
    },
    { name: 'bad', queueName: 'b', opts: opts('c5') },
  ],
};

test("children's dependencies are read as BullMQ reads them", async (t) => {
  await server.redis.flushall();
  const { connection } = server;
  const flows = closing(t, new FlowProducer({ connection }));
  await flows.add({
    name: 'parent',
    queueName: 'a',
    opts: { jobId: 'p' },
    children: [
      { name: 'good', queueName: 'b', data: { n: 1 }, opts: { jobId: 'good' } },
      { name: 'good', queueName: 'b', data: { n: 2 }, opts: { jobId: 'good2' } },
      { name: 'bad', queueName: 'b', opts: { jobId: 'bad1', ignoreDependencyOnFailure: true } },
      { name: 'late', queueName: 'b', opts: { jobId: 'late', delay: 3_600_000 } },
      { name: 'bad', queueName: 'b', opts: { jobId: 'bad2', failParentOnFailure: true } },
    ],
  });
  const queue = closing(t, new Queue('a', { connection }));
  closing(
    t,
    new Worker(
      'b',
      async (job) => {
        if (job.name === 'bad') throw new Error(`no "${job.id}"`);
        return { n: job.data.n };
      },
      { connection },
    ),
  );
  const where = { queue: 'a', jobId: 'p' };
  await waitFor('four to end', async () => Object.values(await ours.dependencyCounts(where)).join() === '2,1,1,1');

  const job = await queue.getJob('p');
  const theirs = await job.getDependencies();
  const read = async (kind) => (await ours.dependencies({ ...where, kind })).children;
  const parsed = (texts) => Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, JSON.parse(text)]));
  assert.deepEqual(parsed(await read('processed')), theirs.processed);
  assert.deepEqual(await read('unprocessed'), theirs.unprocessed);
  assert.deepEqual(await read('ignored'), theirs.ignored);
  assert.deepEqual(await read('failed'), theirs.failed);
  assert.deepEqual(parsed(await ours.childrenValues(where)), await job.getChildrenValues());
  assert.deepEqual(await ours.ignoredFailures(where), await job.getIgnoredChildrenFailures());
});

test('a child that leaves its parent has the same effect', (t) =>
  assertSameEffect(t, family, {
    queue: 'b',
    theirs: async (queue) => {
      for (const id of ['c1', 'c5']) assert.equal(await (await queue.getJob(id)).removeChildDependency(), true);
    },
    mine: async (where) => {
      for (const jobId of ['c1', 'c5']) assert.equal(await ours.removeChildDependency({ ...where, jobId }), true);
    },
  }));

test('the last child that leaves its parent has the same effect', (t) =>
  assertSameEffect(t, { ...family, children: family.children.slice(0, 1) }, {
    queue: 'b',
    theirs: async (queue) => (await queue.getJob('c1')).removeChildDependency(),
    mine: async (where) => ours.removeChildDependency({ ...where, jobId: 'c1' }),
  }));

test('a child whose parent does not wait for it does not leave it', async (t) => {
  await assertSameEffect(t, family, {
    queue: 'b',
    prepare: (base) => server.redis.srem(`${base}a:p:dependencies`, `${base}b:c1`),
    theirs: async (queue) => assert.equal(await (await queue.getJob('c1')).removeChildDependency(), false),
    mine: async (where) => assert.equal(await ours.removeChildDependency({ ...where, jobId: 'c1' }), false),
  });
  await server.redis.del('c:a:p');
  await assert.rejects(ours.removeChildDependency({ queue: 'b', prefix: 'c', jobId: 'c1' }), { code: 'SC_EPARENT' });
});

const removeUnprocessed = (t, flow, prepare) =>
  assertSameEffect(t, flow, {
    prepare,
    theirs: async (queue) => (await queue.getJob('p')).removeUnprocessedChildren(),
    mine: (where) => ours.removeUnprocessedChildren({ ...where, jobId: 'p' }),
  });

// Where a child's own children are, we remove them before it leaves its parent, BullMQ after: their queues are others, so that events have one order.
test('unprocessed children are removed with the same effect, but those that run or have failed', (t) =>
  removeUnprocessed(t, { ...family, children: family.children.slice(2) }, async (base) => {
    await server.redis.set(`${base}b:c4:lock`, 'token');
    await server.redis.lrem(`${base}b:wait`, 0, 'c5');
    await server.redis.zadd(`${base}b:failed`, T, 'c5');
    await server.redis.hset(`${base}a:p:processed`, `${base}b:old`, '1');
  }));

test('without unprocessed children the parent is run, in the same way', (t) => removeUnprocessed(t, { ...family, children: family.children.slice(0, 1) }));

test('a child with children of its own is removed with the same effect', (t) =>
  removeUnprocessed(t, {
    ...family,
    children: [{ name: 'mid', queueName: 'b', opts: opts('m'), children: [{ name: 'low', queueName: 'd', opts: opts('c3') }] }],
  }));

const removeAlone = (t, id, prepare) =>
  assertSameEffect(t, { ...family, children: family.children.slice(2) }, {
    queue: id === 'p' ? 'a' : 'b',
    prepare,
    theirs: (queue) => queue.remove(id, { removeChildren: false }),
    mine: (where) => ours.removeAlone({ ...where, jobId: id }),
  });

test('a parent that is removed without its children leaves the same data, also when one of them runs', async (t) => {
  await removeAlone(t, 'p', (base) => server.redis.set(`${base}b:c5:lock`, 'token'));
  await removeAlone(t, 'm');
});
