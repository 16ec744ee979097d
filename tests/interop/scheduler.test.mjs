// Job schedulers on both sides: the same upsert leaves the same data, each reads and removes the other's, and workers of both
// make one job a tick.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { alike, assertEachMadeOnce, closing, dump, leftOut, madeRuns, startPeer, startRedis, unfinished, waitFor } from './lib.mjs';

let server, ours;

before(async () => {
  server = await startRedis();
  ours = startPeer(server.url);
});

after(async () => {
  await ours.stop();
  await server.stop();
});

const DAY = 24 * 3600 * 1000;

/** Dates and delays made alike: those of two runs differ by milliseconds. `offset` too, unless it was given. With `anyDelay` also that of a job which was due
 *  already when it was made, for its worker was late. */
function comparable(keys, { keepOffset, anyDelay }) {
  const deep = (value) =>
    typeof value === 'number'
      ? value > 1.5e12 ? 'T' : value
      : value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, deep(v)]))
        : value;
  for (const { type, value } of Object.values(keys)) {
    if (type === 'hash' && value.offset && !keepOffset) value.offset = 'O';
    if (type === 'hash' && (value.delay > 0 || (anyDelay && value.delay))) value.delay = 'D';
    if (type === 'hash' && (value.opts?.delay > 0 || (anyDelay && value.opts))) value.opts.delay = 'D';
    if (type === 'zset') value.sort();
  }
  return deep(keys);
}

async function assertSameKeys(name, how) {
  const [mine, theirs] = await Promise.all(['c', 'node'].map((prefix) => dump(server.redis, `${prefix}:${name}`, alike(prefix))));
  assert.deepEqual(comparable(mine, how), comparable(theirs, how));
}

/** Calls `use(upsert, remove, queue)` with Node's calls on prefix `node` and ours on `c`; then all keys must be equal. */
async function assertSameState(name, use, keepOffset = false) {
  const queue = new Queue(name, { connection: server.connection, prefix: 'node' });
  const mine = new Queue(name, { connection: server.connection, prefix: 'c' });
  await Promise.all([queue.waitUntilReady(), mine.waitUntilReady()]);
  await use(
    (id, repeat, { name: job, data, opts } = {}) => queue.upsertJobScheduler(id, repeat, { name: job, data, opts }),
    (id) => queue.removeJobScheduler(id),
    queue,
  );
  await use(
    (id, repeat, template = {}) => ours.upsertScheduler({ queue: name, prefix: 'c', schedulerId: id, repeat, ...template }),
    (id) => ours.removeScheduler({ queue: name, prefix: 'c', schedulerId: id }),
    mine,
  );
  await waitFor('both metas', async () => (await server.redis.exists(`node:${name}:meta`, `c:${name}:meta`)) === 2);
  await assertSameKeys(name, { keepOffset });
  await Promise.all([queue.close(), mine.close()]);
}

test('a pattern leaves the same data', () =>
  assertSameState(
    'pattern',
    (upsert) =>
      upsert(
        'clean:up',
        { pattern: '0 3 * * *', tz: 'Europe/Berlin', limit: 5, endDate: Date.now() + 365 * DAY },
        { name: 'clean', data: { days: 30, what: ['a', 'b'] }, opts: { attempts: 3, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: { count: 5 }, keepLogs: 3 } },
      ),
    true,
  ));

test('a bare pattern, a priority, lifo, six fields', () =>
  assertSameState(
    'bare',
    async (upsert) => {
      await upsert('bare', { pattern: '0 0 29 2 *' });
      await upsert('first', { pattern: '30 0 3 * * 1-5' }, { opts: { priority: 5 } });
      await upsert('lifo', { pattern: '0 3 * * *', startDate: Date.now() + 40 * DAY }, { data: {}, opts: { lifo: true } });
    },
    true,
  ));

test('the first job immediately', () => assertSameState('immediately', (upsert) => upsert('p', { pattern: '0 3 1 1 *', immediately: true }, { opts: { priority: 2 } })));

test('an interval leaves the same data', () => assertSameState('every', (upsert) => upsert('e', { every: 60_000, limit: 2 }, { data: { x: 1 } })));

test('an interval with an offset', () => assertSameState('offset', (upsert) => upsert('e', { every: 3_600_000, offset: 1234 }, { name: 'n' }), true));

test('an interval from a start date on', () => {
  const startDate = Math.floor(Date.now() / DAY) * DAY + 2 * DAY;
  return assertSameState('start', (upsert) => upsert('e', { every: 60_000, startDate }), true);
});

test('stored again, changed and removed', () =>
  assertSameState('again', async (upsert, remove) => {
    await upsert('same', { pattern: '0 3 * * *' }, { name: 'first' });
    await upsert('same', { pattern: '0 3 * * *' }, { name: 'second', data: { b: 2 } });
    await upsert('changed', { pattern: '0 3 * * *' });
    await upsert('changed', { pattern: '0 4 * * *', tz: 'Asia/Tokyo' });
    await upsert('e', { every: DAY });
    await upsert('e', { every: DAY }, { opts: { attempts: 2 } });
    await upsert('gone', { pattern: '0 3 * * *' });
    await remove('gone');
  }));

test("BullMQ's getters show our schedulers", async () => {
  const queue = new Queue('getters', { connection: server.connection });
  const endDate = Date.now() + 30 * DAY;
  const { next } = await ours.upsertScheduler({
    queue: 'getters', schedulerId: 'p', repeat: { pattern: '0 3 * * *', tz: 'Europe/Berlin', limit: 9, endDate }, name: 'n', data: { a: 1 }, opts: { attempts: 4, keepLogs: 2 },
  });

  const [shown] = await queue.getJobSchedulers();
  const one = await queue.getJobScheduler('p');
  const delayed = await queue.getDelayed();

  assert.deepEqual(shown, one);
  assert.deepEqual(shown, {
    key: 'p', name: 'n', next, iterationCount: 1, limit: 9, endDate, tz: 'Europe/Berlin', pattern: '0 3 * * *', offset: 0, template: { data: { a: 1 }, opts: { attempts: 4, keepLogs: 2 } },
  });
  assert.equal(delayed.length, 1);
  assert.equal(delayed[0].repeatJobKey, 'p');
  assert.equal(delayed[0].opts.repeat.count, 1);
  assert.equal(await queue.removeJobScheduler('p'), true);
  assert.deepEqual(await ours.schedulers({ queue: 'getters' }), []);
  await queue.close();
});

test("we list and remove BullMQ's schedulers", async () => {
  const queue = new Queue('list', { connection: server.connection });
  await queue.upsertJobScheduler('p', { pattern: '0 3 * * *', tz: 'America/New_York' }, { name: 'n', data: { a: 1 } });
  await queue.upsertJobScheduler('e', { every: 5000, limit: 7 });

  const list = await ours.schedulers({ queue: 'list' });

  assert.deepEqual(list.map(({ key }) => key), ['e', 'p']);
  assert.equal(list[0].every, 5000);
  assert.equal(list[0].limit, 7);
  assert.equal(list[1].pattern, '0 3 * * *');
  assert.equal(list[1].tz, 'America/New_York');
  assert.equal(list[1].data, '{"a":1}');
  for (const id of ['e', 'p']) await ours.removeScheduler({ queue: 'list', schedulerId: id });
  await assert.rejects(ours.removeScheduler({ queue: 'list', schedulerId: 'p' }), { code: 'SC_ENOTFOUND' });
  assert.equal(await queue.getJobSchedulersCount(), 0);
  assert.equal(await queue.getDelayedCount(), 0);
  await queue.close();
});

/** The times of a scheduler's completed jobs, in order. */
async function ticks(key, id) {
  const jobs = await server.redis.zrange(`${key}:completed`, 0, -1);
  return jobs.map((job) => Number(job.slice(`repeat:${id}:`.length))).sort((a, b) => a - b);
}

test('a schedule runs to its limit and leaves the same data, whoever works', async () => {
  const repeat = { every: 100, limit: 3 };
  const queue = new Queue('run', { connection: server.connection, prefix: 'node' });
  await queue.upsertJobScheduler('e', repeat, { data: {} });
  await ours.open({ queue: 'run', prefix: 'c' });
  await ours.upsertScheduler({ queue: 'run', prefix: 'c', schedulerId: 'e', repeat });

  const worker = new Worker('run', async () => null, { connection: server.connection, prefix: 'node' });
  const mine = await ours.work({ queue: 'run', prefix: 'c', skipGuardian: true }); // what a guardian makes is at once there, not delayed
  await waitFor('three runs each', async () => (await server.redis.zcard('node:run:completed')) === 3 && (await server.redis.zcard('c:run:completed')) === 3);
  await worker.close();
  await ours.closeWorker({ worker: mine });

  await server.redis.del('node:run:marker', 'c:run:marker', 'node:run:stalled-check', 'c:run:stalled-check', 'node:run:events', 'c:run:events');
  await assertSameKeys('run', { anyDelay: true });
  await queue.close();
});

test('workers of both sides make one job a tick', async (t) => {
  const queue = closing(t, new Queue('mixed', { connection: server.connection }));
  const data = { workMs: 30 }; // alone we could do two thirds of it
  await queue.upsertJobScheduler('node', { every: 40 }, { data });
  await ours.upsertScheduler({ queue: 'mixed', schedulerId: 'c', repeat: { every: 40 }, data });
  await ours.upsertScheduler({ queue: 'mixed', schedulerId: 'p', repeat: { pattern: '* * * * * *', tz: 'Europe/Berlin' } });
  const seen = [];
  const workers = [1, 2].map(() => new Worker('mixed', async (job) => void seen.push(job.id), { connection: server.connection, concurrency: 3 }));
  const mine = await ours.work({ queue: 'mixed', concurrency: 1 });

  await waitFor('both sides to have worked', async () => seen.length >= 60 && (await server.redis.zcard('bull:mixed:completed')) > seen.length + 40);
  await Promise.all(workers.map((worker) => worker.close()));
  await ours.closeWorker({ worker: mine });

  const left = await unfinished(server.redis, 'bull:mixed');
  const done = await server.redis.zrange('bull:mixed:completed', 0, -1);
  for (const job of done) assert.equal(await server.redis.hget(`bull:mixed:${job}`, 'ats'), '1', `${job} was started once`);
  for (const id of ['node', 'c', 'p']) {
    const phase = id === 'p' ? 1000 : 40, offset = id === 'p' ? 0 : Number(await server.redis.hget(`bull:mixed:repeat:${id}`, 'offset'));
    for (const ms of await assertEachMadeOnce(server.redis, 'bull:mixed', id, done, left)) assert.equal(ms % phase, offset, `${id}: ${ms} is in phase`);
  }
});

const GRACE_MS = 3000; // docs/schedules.md: what is past by over 3 s is skipped

test("a guardian makes every run of BullMQ's schedules while Node's workers are busy, and none twice", async (t) => {
  const queue = closing(t, new Queue('busy', { connection: server.connection }));
  await queue.add('block', {});
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  const ran = [];
  const worker = closing(t, new Worker('busy', async (job) => (job.name === 'block' ? gate : void ran.push(job.id)), { connection: server.connection }));
  await waitFor('the worker to be busy', async () => (await queue.getActiveCount()) === 1);
  await queue.upsertJobScheduler('e', { every: 200 });
  await queue.upsertJobScheduler('p', { pattern: '* * * * * *', tz: 'Europe/Berlin' });
  const guards = [startPeer(server.url), startPeer(server.url)];
  t.after(() => Promise.all(guards.map((guard) => guard.stop())));
  await Promise.all(guards.map((guard) => guard.guard({ queue: 'busy' })));

  const made = async (id) => Number(await server.redis.hget(`bull:busy:repeat:${id}`, 'ic'));
  await waitFor('runs to be made', async () => (await made('e')) >= 15 && (await made('p')) >= 3);
  assert.deepEqual(ran, []);
  const runs = async () => ({ e: await madeRuns(server.redis, 'bull:busy', 'e'), p: await madeRuns(server.redis, 'bull:busy', 'p') });
  const byGuards = await runs();
  release();
  const target = (await made('e')) + 5;
  await waitFor('the worker to go on', async () => ran.length >= target);

  const byAll = await runs();
  for (const [id, step] of [['e', 200], ['p', 1000]]) {
    assert.deepEqual(leftOut(byGuards[id], step, GRACE_MS), [], `${id}: no run is missing`);
    assert.deepEqual(leftOut(byAll[id], step, 0), [], `${id}: nor one that is made by the worker`);
  }
  assert.equal(new Set(ran).size, ran.length, 'none ran twice');
});

test("our policies hold with Node's workers, BullMQ lists, removes and replaces such schedules", async (t) => {
  const queue = closing(t, new Queue('policies', { connection: server.connection }));
  const ran = {};
  const running = {};
  const overlapped = new Set();
  const worker = closing(t, new Worker('policies', async (job) => {
    const id = job.repeatJobKey;
    running[id] = (running[id] ?? 0) + 1;
    if (running[id] > 1) overlapped.add(id);
    await new Promise((resolve) => setTimeout(resolve, 130)); // the work
    running[id]--;
    ran[id] = (ran[id] ?? 0) + 1;
    if (id === 'all' && Math.random() < 0.3) throw new Error('now and then');
  }, { connection: server.connection, concurrency: 10 }));
  for (const overlap of ['skip', 'one', 'all', 'allow']) await ours.upsertScheduler({ queue: 'policies', schedulerId: overlap, repeat: { every: 50, overlap, catchup: 'all' } });
  const guard = startPeer(server.url);
  t.after(() => guard.stop());
  await guard.guard({ queue: 'policies' });
  const field = async (id, name) => Number(await server.redis.hget(`bull:policies:repeat:${id}`, name));
  await waitFor('runs', async () => ran.allow >= 30 && ran.all >= 10);
  for (const id of ['skip', 'one']) await waitFor(`${id}: runs to be skipped`, async () => (await field(id, 'sc:skipped')) >= 10);

  assert.deepEqual([...overlapped], ['allow']);
  assert.ok(!(await field('all', 'sc:skipped')));
  const shown = await queue.getJobSchedulers();
  assert.deepEqual(shown.map(({ key }) => key).sort(), ['all', 'allow', 'one', 'skip']);
  for (const id of ['skip', 'one', 'allow']) assert.equal(await queue.removeJobScheduler(id), true);
  await queue.upsertJobScheduler('all', { every: 40 });
  await waitFor('the last to be one of BullMQ', async () => overlapped.has('all'));
  assert.equal(await server.redis.hget('bull:policies:repeat:all', 'sc:rev'), null);
  await queue.removeJobScheduler('all');
});

/** "~200": every 200 ms, as tests_peer has it, too. */
const settings = { repeatStrategy: (millis, { pattern }) => millis + Number(pattern.slice(1)) };

test('a strategy of its own on each side makes one schedule', async (t) => {
  const queue = new Queue('tilde', { connection: server.connection, settings });
  t.after(() => queue.close());
  await queue.waitUntilReady();
  await queue.upsertJobScheduler('theirs', { pattern: '~50' }, { name: 'n' });
  await ours.upsertScheduler({ queue: 'tilde', schedulerId: 'mine', repeat: { pattern: '~50' } });
  assert.deepEqual((await queue.getJobSchedulers()).map(({ key, pattern }) => [key, pattern]).sort(), [['mine', '~50'], ['theirs', '~50']]);
  const seen = [];
  const worker = new Worker('tilde', async (job) => void seen.push(job.id), { connection: server.connection, settings });
  t.after(() => worker.close(true));
  const mine = await ours.work({ queue: 'tilde' });
  await waitFor('both sides to have worked', async () => seen.length >= 10 && (await server.redis.zcard('bull:tilde:completed')) > seen.length + 10);
  await worker.close();
  await ours.closeWorker({ worker: mine });
  const left = await unfinished(server.redis, 'bull:tilde');
  for (const id of ['mine', 'theirs']) {
    const jobs = [...(await server.redis.zrange('bull:tilde:completed', 0, -1)), ...left].filter((job) => job.startsWith(`repeat:${id}:`));
    assert.equal(Number(await server.redis.hget(`bull:tilde:repeat:${id}`, 'ic')), jobs.length, `${id}: every job made was run, but those left`);
  }
});
