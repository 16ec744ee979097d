// Jobs that wait for others while they run: the same steps by BullMQ's Worker and by ours leave the same data.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, WaitingChildrenError, WaitingError, Worker } from 'bullmq';
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

/** What tests_peer's processor does (see peer_steps.c), in BullMQ's words. */
const processor = (queue) => async (job, token) => {
  const { steps, step: first = 0 } = job.data;
  for (let i = first; i < steps.length; i++) {
    const step = steps[i];
    if (step.add) {
      for (const { name, data, opts } of step.add) await queue.add(name, data, { ...opts, parent: { id: job.id, queue: job.queueQualifiedName } });
    } else if (step.awaitFailed) {
      await waitFor('a child to fail', async () => (await job.getDependenciesCount()).failed >= step.awaitFailed);
    } else if (step.removeUnprocessed) {
      await job.removeUnprocessedChildren();
    } else if (step.waitChildren) {
      await job.updateData({ ...job.data, step: step.once ? i + 1 : i });
      const child = typeof step.waitChildren === 'string' ? { id: step.waitChildren.split(':').at(-1), queue: job.queueQualifiedName } : undefined;
      if (await job.moveToWaitingChildren(token, { child })) throw new WaitingChildrenError();
    } else if (step.wait) {
      await job.updateData({ ...job.data, step: i + 1 });
      await job.moveToWait(token);
      throw new WaitingError();
    } else if (step.fail) {
      throw new Error(step.fail);
    } else {
      return step.values ? await job.getChildrenValues() : step.failures ? await job.getIgnoredChildrenFailures() : step.result;
    }
  }
  return null;
};

const REASONS = [
  [/Cannot complete job \S+ because it has at least one failed child\. \w+/, 'the job has failed children'],
  [/Job \S+ has pending dependencies\. \w+/, 'the job has children that have not finished'],
];

/** What differs by nature: Node's traces are stacks of JavaScript, so their number counts; jobs of the same ms are sorted by id. */
async function keysOf(prefix, name) {
  const rename = (text) => {
    const inside = text.replaceAll(`child ${prefix}:`, 'child P:');
    return alike(prefix)(REASONS.reduce((words, [theirs, mine]) => words.replace(theirs, mine), inside));
  };
  const keys = await dump(server.redis, `${prefix}:${name}`, rename);
  for (const { type, value } of Object.values(keys)) {
    if (type === 'hash' && value.stacktrace) value.stacktrace = value.stacktrace.length;
    if (type === 'zset') value.sort();
  }
  return keys;
}

/** The job `p` (and `more`) is run by BullMQ under the prefix `node`, by us under `c`, until `count` jobs have ended. All keys must be alike. */
async function assertSameEnd(t, name, steps, count, { concurrency = 1, opts = {}, more = [] } = {}) {
  const through = async (prefix) => {
    const [completed, failed] = await Promise.all(['completed', 'failed'].map((state) => server.redis.zcard(`${prefix}:${name}:${state}`)));
    // A marker is left by the last start of a job, until a worker that waits takes it.
    return completed + failed >= count && !(await server.redis.exists(`${prefix}:${name}:marker`));
  };
  const queues = {};
  for (const prefix of ['node', 'c']) {
    queues[prefix] = closing(t, new Queue(name, { connection: server.connection, prefix }));
    await queues[prefix].waitUntilReady();
    await queues[prefix].addBulk([{ name: 'parent', data: { steps: steps(`${prefix}:${name}`) }, opts: { jobId: 'p', ...opts } }, ...more]);
  }
  const worker = closing(t, new Worker(name, processor(queues.node), { connection: server.connection, prefix: 'node', concurrency }));
  worker.on('error', () => {}); // a parent that cannot be completed is one to it
  await waitFor('Node to be through', () => through('node'));
  await worker.close();
  const number = await ours.workSteps({ queue: name, prefix: 'c', concurrency });
  await waitFor('us to be through', () => through('c'));
  await ours.closeWorker({ worker: number });
  for (const queue of Object.values(queues)) await queue.close();
  await server.redis.del(`node:${name}:marker`, `c:${name}:marker`); // ours leaves the date of the next delayed job when it closes
  await server.redis.del(`node:${name}:stalled-check`, `c:${name}:stalled-check`); // of the first one it may be over by now
  assert.deepEqual(await keysOf('c', name), await keysOf('node', name));
}

const child = (id, result, opts) => ({ name: 'child', data: { steps: [{ result }] }, opts: { jobId: id, ...opts } });
const bad = (id, opts) => ({ name: 'bad', data: { steps: [{ fail: 'it broke' }] }, opts: { jobId: id, ...opts } });

test('a job waits for the children that it added, and sees their results', (t) =>
  assertSameEnd(t, 'added', () => [{ add: [child('c1', 1), child('c2', { two: [2] })] }, { waitChildren: true }, { values: true }], 3));

test('a job waits twice', (t) =>
  assertSameEnd(t, 'twice', () => [{ add: [child('c1', 1)] }, { waitChildren: true }, { add: [child('c2', 2)] }, { waitChildren: true }, { values: true }], 3));

test('a job waits for one child by its key, and for all others with it', (t) =>
  assertSameEnd(t, 'one', (q) => [{ add: [child('c1', 1), child('c2', 2)] }, { waitChildren: `${q}:c2` }, { values: true }], 3));

test('a job without pending children does not wait', (t) =>
  assertSameEnd(t, 'none', (q) => [{ waitChildren: true }, { waitChildren: `${q}:gone` }, { result: 'went on' }], 1));

test('a prioritized and a delayed parent go back to where they belong', (t) =>
  assertSameEnd(t, 'prioritized', () => [{ add: [child('c1', 1)] }, { waitChildren: true }, { result: 1 }], 3, { opts: { priority: 5 }, more: [{ name: 'other', data: { steps: [] }, opts: { priority: 9 } }] }));

test('a job that goes back to wait is next, without an attempt', (t) =>
  assertSameEnd(t, 'wait', () => [{ wait: true }, { wait: true }, { result: 1 }], 2, { more: [{ name: 'other', data: { steps: [] }, opts: { jobId: 'o' } }] }));

test('a prioritized job that goes back to wait is next among its equals', (t) =>
  assertSameEnd(t, 'wait-prioritized', () => [{ wait: true }, { result: 1 }], 2, { opts: { priority: 3 }, more: [{ name: 'other', data: { steps: [] }, opts: { jobId: 'o', priority: 3 } }] }));

test('a job that waits fails with its child', (t) =>
  assertSameEnd(t, 'fails', () => [{ add: [bad('b', { failParentOnFailure: true }), child('c1', 1)] }, { waitChildren: true }, { result: 1 }], 3, { opts: { attempts: 4 } }));

test('a job whose child has failed cannot wait, nor be completed, and is not tried again', async (t) => {
  const first = [{ add: [bad('b', { failParentOnFailure: true })] }, { awaitFailed: 1 }];
  await assertSameEnd(t, 'cannot-wait', () => [...first, { waitChildren: true }, { result: 1 }], 2, { concurrency: 2, opts: { attempts: 4 } });
  await assertSameEnd(t, 'cannot-complete', () => [...first, { result: 1 }], 2, { concurrency: 2, opts: { attempts: 4 } });
});

test('a job with a pending child cannot be completed, and is tried again', (t) =>
  assertSameEnd(t, 'pending', () => [{ add: [child('late', 1, { delay: 3_600_000 })] }, { result: 1 }], 1, { opts: { attempts: 2 } }));

test('a job goes on when a child fails, without those that are pending', (t) =>
  assertSameEnd(t, 'goes-on', () => [{ add: [bad('b', { continueParentOnFailure: true }), child('late', 1, { delay: 3_600_000 })] }, { waitChildren: true, once: true }, { removeUnprocessed: true }, { failures: true }], 2));
