// The parent option: the same calls by BullMQ and by us leave the same data, with all policies, and with children that exist.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
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
const both = ['node', 'c'];
const keysOf = (prefix, name) => dump(server.redis, `${prefix}:${name}`, alike(prefix));
const child = (name, queue, opts = {}, data = {}) => ({ name, data, opts: { timestamp: T, parent: { id: 'p', queue }, ...opts } });

/** Parents `p` and `p2` that wait for a first child each, on both sides; then the children of `steps(qualified name)` are added:
 *  an object by add, an array by addBulk; a function prepares both sides. All keys must be alike after each. */
async function assertSameState(t, name, steps) {
  const queue = closing(t, new Queue(name, { connection: server.connection, prefix: 'node' }));
  await queue.waitUntilReady();
  await ours.open({ queue: name, prefix: 'c' });
  await waitFor('both metas', async () => (await server.redis.exists(`node:${name}:meta`, `c:${name}:meta`)) === 2);
  for (const base of both.map((prefix) => `${prefix}:${name}:`))
    for (const id of ['p', 'p2']) {
      await server.redis.hset(base + id, { name: 'parent', data: '{}', opts: '{}', timestamp: T, delay: 0, priority: 0 });
      await server.redis.zadd(base + 'waiting-children', T, id);
    }
  const [theirSteps, mySteps] = both.map((prefix) => steps(`${prefix}:${name}`));
  for (const [i, step] of theirSteps.entries()) {
    if (typeof step === 'function') {
      for (const prefix of both) await step(`${prefix}:${name}:`);
    } else if (Array.isArray(step)) {
      const theirs = (await queue.addBulk(step)).map(({ id }) => id);
      assert.deepEqual(await ours.addBulk({ queue: name, prefix: 'c', jobs: mySteps[i] }), theirs);
    } else {
      const { id } = await queue.add(step.name, step.data, step.opts);
      assert.equal(await ours.add({ queue: name, prefix: 'c', ...mySteps[i] }), id);
    }
    assert.deepEqual(await keysOf('c', name), await keysOf('node', name));
  }
}

test('children of all kinds leave the same data', (t) =>
  assertSameState(t, 'kinds', (q) => [
    child('a', q),
    child('b', q, { delay: 60_000 }),
    child('c', q, { priority: 4 }),
    child('d', q, { lifo: true, jobId: 'own' }),
    [child('e', q), child('f', q), { name: 'g', data: {}, opts: { timestamp: T } }, child('h', q, { jobId: 'own2' }, { n: 1 })],
  ]));

test('each policy for failures is stored the same way', (t) =>
  assertSameState(t, 'policies', (q) =>
    ['failParentOnFailure', 'continueParentOnFailure', 'ignoreDependencyOnFailure', 'removeDependencyOnFailure'].flatMap((policy) => [
      child(policy, q, { [policy]: true }),
      { name: 'without a parent', data: {}, opts: { timestamp: T, [policy]: true } },
    ]),
  ));

test('a child that exists is attached the same way: waiting, again, completed, and after its parent is gone', (t) =>
  assertSameState(t, 'existing', (q) => [
    { name: 'a', data: {}, opts: { timestamp: T, jobId: 'own' } },
    child('a', q, { jobId: 'own' }),
    child('a', q, { jobId: 'own', failParentOnFailure: true }),
    [child('a', q, { jobId: 'own' }), child('b', q, { jobId: 'done', parent: { id: 'p2', queue: q } })],
    async (base) => {
      await server.redis.lrem(base + 'wait', 0, 'done');
      await server.redis.zadd(base + 'completed', T, 'done');
      await server.redis.hset(base + 'done', 'returnvalue', '{"x":1}');
      await server.redis.del(base + 'p2:dependencies');
    },
    child('b', q, { jobId: 'done', parent: { id: 'p2', queue: q } }),
    (base) => server.redis.del(base + 'p2'),
    child('b', q, { jobId: 'done' }),
  ]));

test('a completed child releases its parent as prioritized and as delayed', (t) =>
  assertSameState(t, 'release', (q) => [
    async (base) => {
      await server.redis.hset(base + 'p', 'priority', 5);
      await server.redis.hset(base + 'p2', 'delay', 60_000);
    },
    [{ name: 'a', data: {}, opts: { timestamp: T, jobId: 'a' } }, { name: 'b', data: {}, opts: { timestamp: T, jobId: 'b' } }],
    async (base) => {
      await server.redis.del(base + 'wait');
      await server.redis.zadd(base + 'completed', T, 'a', T, 'b');
      await server.redis.hset(base + 'a', 'returnvalue', '1');
      await server.redis.hset(base + 'b', 'returnvalue', '2');
    },
    child('a', q, { jobId: 'a' }),
    child('b', q, { jobId: 'b', parent: { id: 'p2', queue: q } }),
  ]));

test('what BullMQ refuses, we refuse, and leave the same data', async (t) => {
  const name = 'refused';
  await assertSameState(t, name, (q) => [child('a', q, { jobId: 'own' })]);
  const queue = closing(t, new Queue(name, { connection: server.connection, prefix: 'node' }));
  const refuse = async (opts, code) => {
    await assert.rejects(queue.add('x', {}, opts(`node:${name}`)));
    await assert.rejects(ours.add({ queue: name, prefix: 'c', name: 'x', data: {}, opts: opts(`c:${name}`) }), { code });
  };
  await refuse((q) => ({ parent: { id: 'gone', queue: q } }), 'SC_EPARENT');
  await refuse((q) => ({ jobId: 'own', parent: { id: 'p2', queue: q } }), 'SC_EPARENT');
  await refuse((q) => ({ deduplication: { id: 'd' }, parent: { id: 'p', queue: q } }), 'SC_EINVAL');
  for (const prefix of both) await server.redis.del(`${prefix}:${name}:id`); // BullMQ counts a job with another parent, but none whose parent is gone
  assert.deepEqual(await keysOf('c', name), await keysOf('node', name));
});

test("a parent of BullMQ's goes on when our children in another queue are done", async (t) => {
  const { connection } = server;
  const parents = closing(t, new Queue('mixed-up', { connection }));
  const flow = await parents.add('parent', {}, { jobId: 'p', delay: 3_600_000 });
  await server.redis.zrem('bull:mixed-up:delayed', flow.id);
  await server.redis.zadd('bull:mixed-up:waiting-children', Date.now(), flow.id);
  await server.redis.hset('bull:mixed-up:p', 'delay', 0);
  const jobs = [1, 2, 3].map((n) => ({ name: 'child', data: { n }, opts: { parent: { id: 'p', queue: 'bull:mixed-up' } } }));
  await ours.addBulk({ queue: 'mixed-down', jobs });
  closing(t, new Worker('mixed-down', async (job) => job.data.n * 10, { connection }));
  let values;
  closing(t, new Worker('mixed-up', async (job) => (values = await job.getChildrenValues()), { connection }));
  await waitFor('the parent to run', () => values);
  assert.deepEqual(Object.values(values).sort(), [10, 20, 30]);
});
