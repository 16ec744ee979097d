// Flows: the same trees added by FlowProducer and by us leave the same data; each side's workers run the other's.
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
const node = (jobId, queueName, opts = {}, children) => ({ name: `job ${jobId}`, queueName, data: { of: jobId }, opts: { jobId, timestamp: T, ...opts }, ...(children && { children }) });

/** FlowProducer adds the flows under the prefix `node`, we add them under `c`, one call after the other; all keys must be alike after each. */
async function assertSameState(t, calls, { queuesOptions } = {}) {
  await server.redis.flushall();
  const producer = closing(t, new FlowProducer({ connection: server.connection, prefix: 'node' }));
  for (const call of calls) {
    if (typeof call === 'function') {
      for (const prefix of ['node', 'c']) await call(`${prefix}:`);
    } else if (Array.isArray(call)) {
      await producer.addBulk(call);
      await ours.addFlows({ prefix: 'c', flows: call });
    } else {
      await producer.add(call, { queuesOptions });
      await ours.addFlows({ prefix: 'c', flows: [call], queuesOptions });
    }
    assert.deepEqual(await dump(server.redis, 'c', alike('c')), await dump(server.redis, 'node', alike('node')));
  }
}

const deep = node('root', 'a', { priority: 3, attempts: 2 }, [
  node('one', 'b'),
  node('mid', 'c', { delay: 5000 }, [
    node('low', 'b', { lifo: true }),
    node('lower', 'a', {}, [node('lowest', 'c', { delay: 60_000 }), node('last', 'c', { delay: 60_000, priority: 2 })]),
    node('prio', 'b', { priority: 7 }),
  ]),
  node('two', 'b', { priority: 2, backoff: { type: 'fixed', delay: 10 } }),
  node('three', 'b'),
]);

test('a tree over three queues and four levels leaves the same data', (t) => assertSameState(t, [deep]));

test('several trees in one call do so too', (t) =>
  assertSameState(t, [[deep, node('single', 'a'), node('other', 'b', {}, [node('x', 'a'), node('y', 'a', { delay: 1 }, [node('z', 'b')])])]]));

test('each policy for failures is stored the same way', (t) =>
  assertSameState(t, [
    node('p', 'a', {}, [
      node('fail', 'a', { failParentOnFailure: true }),
      node('go', 'a', { continueParentOnFailure: true }),
      node('ignore', 'a', { ignoreDependencyOnFailure: true }),
      node('remove', 'a', { removeDependencyOnFailure: true }, [node('below', 'a', { failParentOnFailure: true })]),
    ]),
  ]));

test('a flow below a job that exists, in paused and full queues, leaves the same data', (t) =>
  assertSameState(t, [
    async (base) => {
      await server.redis.hset(`${base}a:meta`, 'paused', 1);
      await server.redis.hset(`${base}b:meta`, 'concurrency', 1);
      await server.redis.lpush(`${base}b:active`, 'running');
    },
    node('top', 'c', {}, [node('first', 'a')]),
    node('root', 'a', {}, [node('one', 'b')]),
  ]));

test('nodes that exist are attached the same way: waiting, completed, and a root that exists', (t) =>
  assertSameState(t, [
    node('p1', 'a', {}, [node('one', 'b'), node('two', 'b')]),
    node('p1', 'a', {}, [node('one', 'b'), node('three', 'b')]),
    async (base) => {
      await server.redis.lrem(`${base}b:wait`, 0, 'one');
      await server.redis.zadd(`${base}b:completed`, T, 'one');
      await server.redis.hset(`${base}b:one`, 'returnvalue', '{"n":1}');
      await server.redis.del(`${base}a:p1`);
    },
    node('p2', 'a', { priority: 4 }, [node('one', 'b')]),
    (base) => server.redis.del(`${base}a:p2`),
    node('p3', 'a', {}, [node('one', 'b'), node('four', 'b')]),
  ]));

test("the options of a node go before its queue's default ones, one by one", (t) =>
  assertSameState(t, [node('p', 'a', { attempts: 2 }, [node('one', 'b', { backoff: { type: 'fixed', delay: 7 } }), node('two', 'b', { attempts: 3, removeOnFail: { count: 4 } })])], {
    queuesOptions: { a: { defaultJobOptions: { priority: 5, keepLogs: 9 } }, b: { defaultJobOptions: { attempts: 9, backoff: { type: 'exponential', delay: 100 }, removeOnFail: true } } },
  }));

test("a queue's default options are those of nodes without options", async (t) => {
  await server.redis.flushall();
  const bare = { name: 'p', queueName: 'a', children: [{ name: 'c', queueName: 'b' }] };
  const queuesOptions = { a: { defaultJobOptions: { priority: 5 } }, b: { defaultJobOptions: { attempts: 9, backoff: 100, removeOnFail: true, ignoreDependencyOnFailure: true } } };
  const producer = closing(t, new FlowProducer({ connection: server.connection, prefix: 'node' }));
  const { job, children } = await producer.add(bare, { queuesOptions });
  queuesOptions.b.defaultJobOptions.backoff = { type: 'fixed', delay: 100 };
  const ids = await ours.addFlows({ prefix: 'c', flows: [bare], queuesOptions });
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const keys = async (prefix, parent, child) => {
    const rename = alike(prefix);
    return dump(server.redis, prefix, (text) => rename(text.replaceAll(parent, 'PARENT').replaceAll(child, 'CHILD')));
  };
  assert.deepEqual(await keys('c', ...ids), await keys('node', job.id, children[0].job.id));
});

test('what BullMQ refuses, we refuse, and nothing is added', async (t) => {
  await server.redis.flushall();
  const { connection } = server;
  const producer = closing(t, new FlowProducer({ connection, prefix: 'node' }));
  const refuse = async (flow, code) => {
    await assert.rejects(producer.add(flow('node')));
    await assert.rejects(ours.addFlows({ prefix: 'c', flows: [flow('c')] }), { code });
  };
  await refuse((prefix) => node('p', 'a', { parent: { id: 'gone', queue: `${prefix}:a` } }, [node('c', 'b')]), 'SC_EPARENT');
  await refuse(() => node('p', 'a', { deduplication: { id: 'd' } }, [node('c', 'b')]), 'SC_EINVAL');
  await refuse(() => node('p', 'a', {}, [node('c', 'b', { deduplication: { id: 'd' } })]), 'SC_EINVAL');
  await refuse(() => node('p', 'a', {}, [node('1', 'b')]), 'SC_EINVAL');
  assert.equal(await server.redis.dbsize(), 0);
});

test('a child of another parent: nothing is added, and we say so', async (t) => {
  await assertSameState(t, [node('p1', 'a', {}, [node('taken', 'b')])]);
  const before = await dump(server.redis, 'c');
  await assert.rejects(ours.addFlows({ prefix: 'c', flows: [node('p2', 'a', {}, [node('new', 'b'), node('taken', 'b')])] }), { code: 'SC_EPARENT' });
  assert.deepEqual(await dump(server.redis, 'c'), before);
});

test("BullMQ's workers run our flow, each parent after its children", async (t) => {
  await server.redis.flushall();
  const { connection } = server;
  const [root] = await ours.addFlows({ flows: [{ ...deep, opts: { ...deep.opts, delay: 0 }, children: deep.children.map((c) => (c.opts.jobId === 'mid' ? node('mid', 'c', {}, [node('low', 'b'), node('prio', 'b', { priority: 2 })]) : c)) }] });
  const ran = [];
  const run = async (job) => {
    ran.push(job.id);
    return { id: job.id, children: await job.getChildrenValues() };
  };
  for (const name of ['a', 'b', 'c']) closing(t, new Worker(name, run, { connection }));
  const queue = closing(t, new Queue('a', { connection }));
  await waitFor('the root to be completed', () => server.redis.zscore('bull:a:completed', root));
  const { returnvalue } = await queue.getJob(root);
  assert.deepEqual(Object.keys(returnvalue.children).sort(), ['bull:b:one', 'bull:b:three', 'bull:b:two', 'bull:c:mid']);
  assert.deepEqual(Object.keys(returnvalue.children['bull:c:mid'].children).sort(), ['bull:b:low', 'bull:b:prio']);
  assert.equal(ran.at(-1), root);
});

test("BullMQ reads our flow as a tree, by getFlow and by opts.parent as Bull Board does", async (t) => {
  await server.redis.flushall();
  const { connection } = server;
  await ours.addFlows({ flows: [deep] });
  const producer = closing(t, new FlowProducer({ connection }));
  const tree = await producer.getFlow({ id: 'root', queueName: 'a' });
  const ids = (tree) => [tree.job.id, ...(tree.children ?? []).map(ids).sort()];
  assert.deepEqual(ids(tree), ['root', ['mid', ['low'], ['lower', ['last'], ['lowest']], ['prio']], ['one'], ['three'], ['two']]);
  const queue = closing(t, new Queue('c', { connection }));
  assert.deepEqual((await queue.getJob('mid')).opts.parent, { id: 'root', queue: 'bull:a' });
});

test('we read a flow of BullMQ as it does itself', async (t) => {
  await server.redis.flushall();
  const { connection } = server;
  const producer = closing(t, new FlowProducer({ connection }));
  await producer.add(node('p', 'a', {}, [node('one', 'b'), node('late', 'b', { delay: 3_600_000, timestamp: Date.now() }), node('mid', 'c', { priority: 2 }, [node('low', 'b'), node('bad', 'b', { ignoreDependencyOnFailure: true })])]));
  closing(
    t,
    new Worker(
      'b',
      async (job) => {
        if (job.id === 'bad') throw new Error('bad');
        return job.data;
      },
      { connection },
    ),
  );
  await waitFor('three to end', async () => (await server.redis.zcard('bull:b:completed')) + (await server.redis.zcard('bull:b:failed')) === 3);
  const theirs = ({ job, children = [] }) => ({ id: job.id, queue: job.queueQualifiedName, returnvalue: job.returnvalue, failedReason: job.failedReason ?? '', children: children.map(theirs) });
  const mine = ({ queue, job, children }) => ({ id: job.id, queue, returnvalue: job.returnvalue, failedReason: job.failedReason ?? '', children: children.map(mine) });
  for (const limits of [{}, { depth: 2 }, { depth: 1 }]) {
    const tree = await producer.getFlow({ id: 'p', queueName: 'a', ...limits });
    assert.deepEqual(mine(await ours.getFlow({ queue: 'a', jobId: 'p', ...limits })), theirs(tree));
  }
});

test('flows of both sides are run by workers of both sides, of which one is killed: each job ends once, with all its children', async (t) => {
  await server.redis.flushall();
  const { connection } = server;
  const TREES = 60;
  const tree = (n, by) => {
    const work = (id, queueName, children) => ({ name: id, queueName, data: { result: id, workMs: n % 4 }, opts: { jobId: id }, ...(children && { children }) });
    const mid = (i) => work(`${by}-${n}-mid${i}`, 'fy', [work(`${by}-${n}-low${i}a`, 'fx'), work(`${by}-${n}-low${i}b`, 'fy')]);
    return work(`${by}-${n}`, 'fx', [mid(1), mid(2), work(`${by}-${n}-leaf`, 'fy')]);
  };
  const producer = closing(t, new FlowProducer({ connection }));
  const queues = ['fx', 'fy'].map((name) => closing(t, new Queue(name, { connection })));
  const victim = startPeer(server.url);
  t.after(() => victim.kill());
  const options = { concurrency: 5, lockDuration: 1000, stalledInterval: 500, maxStalledCount: 100, drainDelay: 500 };
  const numbers = [];
  for (const queue of ['fx', 'fy']) {
    await victim.work({ queue, ...options });
    numbers.push(await ours.work({ queue, ...options }));
    closing(t, new Worker(queue, async (job) => job.data.result, { connection, ...options }));
  }
  const completed = async () => (await Promise.all(queues.map((queue) => queue.getCompletedCount()))).reduce((a, b) => a + b);
  for (let n = 0; n < TREES; n++) {
    await producer.add(tree(n, 'node'));
    await ours.addFlows({ flows: [tree(n, 'c')] });
    if (n === TREES / 2) await victim.kill();
  }
  await waitFor('all to be completed', async () => (await completed()) === 2 * TREES * 8, 180_000);
  for (const number of numbers) await ours.closeWorker({ worker: number });

  const events = (await Promise.all(queues.map(({ name }) => server.redis.xrange(`bull:${name}:events`, '-', '+')))).flat();
  const ended = events.filter(([, [, event]]) => event === 'completed').map(([, [, , , jobId]]) => jobId);
  assert.equal(ended.length, 2 * TREES * 8);
  assert.equal(new Set(ended).size, ended.length);
  for (const by of ['node', 'c'])
    for (let n = 0; n < TREES; n++) {
      const values = await ours.childrenValues({ queue: 'fx', jobId: `${by}-${n}` });
      assert.deepEqual(Object.values(values).map(JSON.parse).sort(), [`${by}-${n}-leaf`, `${by}-${n}-mid1`, `${by}-${n}-mid2`]);
    }
});
