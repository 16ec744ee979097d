// Schedules while nodes die and clocks jump: each run is made once, none is missing, and there is never a storm of them. SC_KILLS: how many
// nodes are killed (24).
import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { BUILD_DIR, closing, leftOut, madeRuns, madeTimes, startPeer, startRedis, waitFor } from './lib.mjs';

const KILLS = Number(process.env.SC_KILLS ?? 24), NODES = 8;

/** Each run that there is was made once, and the next one is the pending one; a guarded schedule has no job of it yet. */
async function assertMadeOnce(redis, key, id, runs, step) {
  const rule = await redis.hgetall(`${key}:repeat:${id}`);
  const next = Number(await redis.zscore(`${key}:repeat`, id));
  assert.ok(runs.length > 2, `${id}: has run`);
  assert.equal(Number(rule.ic), runs.length, `${id}: each was made once`);
  assert.equal(next, runs.at(-1)[0] + (rule['sc:rev'] ? step : 0), `${id}: its next run`);
}

/** The moments, tenths of a second, at which guardians made a run of `runs` in time: none of them can have overlooked another schedule then. */
function inTime(runs) {
  return [...new Set(runs.filter(([ms, made]) => made - ms < 200).map(([, made]) => Math.floor(made / 100)))];
}

test('nodes killed at random cost no run, and none is made twice', { timeout: 300_000 + KILLS * 2000 }, async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const ours = startPeer(server.url);
  t.after(() => ours.stop());
  const queue = closing(t, new Queue('killed', { connection: server.connection }));
  await queue.waitUntilReady();
  const plain = Array.from({ length: 10 }, (_, i) => `p${i}`), guarded = Array.from({ length: 10 }, (_, i) => `g${i}`);
  for (const schedulerId of plain) await ours.upsertScheduler({ queue: 'killed', schedulerId, repeat: { pattern: '*/2 * * * * *' } });
  for (const schedulerId of guarded) await ours.upsertScheduler({ queue: 'killed', schedulerId, repeat: { every: 100, catchup: 'all' } });
  const worker = closing(t, new Worker('killed', async () => null, { connection: server.connection, stalledInterval: 500, lockDuration: 1000, concurrency: 4 }));
  const startNode = async () => {
    const peer = startPeer(server.url);
    await peer.guard({ queue: 'killed', intervalMs: 500 });
    await peer.work({ queue: 'killed', concurrency: 4, stalledInterval: 500, lockDuration: 1000 });
    return peer;
  };
  const nodes = await Promise.all(Array.from({ length: NODES }, startNode));
  t.after(() => Promise.all(nodes.map((node) => node.kill())));

  for (let i = 0; i < KILLS; i++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300)); // the rhythm of the murders
    const at = Math.floor(Math.random() * NODES);
    await nodes[at].kill();
    nodes[at] = await startNode();
  }
  const done = () => server.redis.zcard('bull:killed:completed');
  const target = (await done()) + 200;
  await waitFor('the schedules to go on', async () => (await done()) >= target);
  for (const id of plain) await waitFor(`${id} to go on`, async () => Number(await server.redis.hget(`bull:killed:repeat:${id}`, 'ic')) > 3);
  await Promise.all([worker.close(), ...nodes.map((node) => node.stop())]); // nothing moves while it is looked at

  const moments = [];
  for (const id of guarded) {
    const runs = await madeRuns(server.redis, 'bull:killed', id);
    assert.deepEqual(runs.slice(1).filter(([ms], i) => ms - runs[i][0] !== 100), [], `${id}: none is missing of ${runs.length} runs`);
    await assertMadeOnce(server.redis, 'bull:killed', id, runs, 100);
    moments.push(...inTime(runs));
  }
  for (const id of plain) {
    const runs = await madeRuns(server.redis, 'bull:killed', id);
    assert.deepEqual(leftOut(runs, 2000, 0), [], `${id}: none is missing of ${runs.length} runs`);
    await assertMadeOnce(server.redis, 'bull:killed', id, runs, 2000);
    // What was skipped because it was past is so because all stood still: else the guarded ones' guardians would have made it.
    for (const [i, [ms, made]] of runs.entries())
      if (i && ms - runs[i - 1][0] !== 2000) {
        const awake = new Set(moments.filter((tenth) => tenth * 100 > runs[i - 1][0] && tenth * 100 < made));
        assert.ok(awake.size < 10, `${id}: nobody made the run after ${runs[i - 1][0]}, though guardians were awake ${awake.size} times until ${made}`);
      }
  }
});

test('a worker of BullMQ that finds next times in the past makes no storm beside our guardian, which tells of it', { timeout: 300_000 }, async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const settings = { repeatStrategy: (now) => now - 60_000 }; // as its cron library does where some zones' clocks change
  const queue = closing(t, new Queue('storm', { connection: server.connection, settings }));
  await queue.waitUntilReady();
  // Each run takes some ms: one that took none would have its next one in the same ms, which BullMQ takes for the same one, and the storm would be over.
  closing(t, new Worker('storm', () => new Promise((resolve) => setTimeout(resolve, 5)), { connection: server.connection, settings }));
  const NEW_YEAR = Date.UTC(new Date().getUTCFullYear() + 1);
  const next = () => server.redis.zscore('bull:storm:repeat', 's').then(Number);

  await queue.upsertJobScheduler('s', { pattern: '0 0 1 1 *', immediately: true });
  await waitFor('the storm', async () => (await server.redis.zcard('bull:storm:completed')) > 5);
  assert.notEqual(await next(), NEW_YEAR, 'nobody calms it yet');
  const guard = startPeer(server.url);
  t.after(() => guard.kill());
  const told = [];
  guard.events.on('guard', (event) => told.push(event));
  await guard.guard({ queue: 'storm', intervalMs: 500 });
  await waitFor('the schedule to go on by its pattern', async () => (await next()) === NEW_YEAR);
  const left = async () => [...(await server.redis.lrange('bull:storm:active', 0, -1)), ...(await server.redis.lrange('bull:storm:wait', 0, -1)), ...(await server.redis.zrange('bull:storm:delayed', 0, -1))];
  await waitFor('what is under way to end', async () => (await left()).join() === `repeat:s:${NEW_YEAR}`);
  const runs = await server.redis.zcard('bull:storm:completed');
  await new Promise((resolve) => setTimeout(resolve, 1500)); // nothing more comes

  assert.equal(await server.redis.zcard('bull:storm:completed'), runs, 'the storm is over');
  assert.deepEqual(await left(), [`repeat:s:${NEW_YEAR}`]);
  assert.equal(await next(), NEW_YEAR);
  await waitFor('it to be told', () => told.length);
  assert.deepEqual(told.map(({ schedulerId, code }) => [schedulerId, code]), [['s', 'SC_ELAYOUT']]);
});

/** A server whose clock is ours: `jump(seconds)` sets how far it is from the true time. */
async function startShiftedRedis(t) {
  const folder = await mkdtemp(join(tmpdir(), 'sc-clock-'));
  const file = await open(join(folder, 'shift'), 'w+');
  const jump = async (seconds) => {
    const ms = Buffer.alloc(8);
    ms.writeBigInt64LE(BigInt(seconds) * 1000n);
    await file.write(ms, 0, 8, 0);
    if (!server) return;
    const before = Date.now() / 1000, now = (await server.redis.time())[0] - seconds;
    assert.ok(now > before - 5 && now < Date.now() / 1000 + 5, 'the clock is moved');
  };
  let server;
  await jump(0);
  const env = { LD_PRELOAD: join(BUILD_DIR, 'tests_shift_clock.so'), SHIFT_CLOCK: join(folder, 'shift') };
  Object.assign(process.env, env);
  server = await startRedis().finally(() => Object.keys(env).forEach((name) => delete process.env[name]));
  t.after(async () => {
    await server.stop();
    await file.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { ...server, jump };
}

test('when the clock jumps by a day each schedule has one late run at most, and no time twice', { timeout: 300_000 }, async (t) => {
  const server = await startShiftedRedis(t);
  const node = startPeer(server.url);
  t.after(() => node.kill());
  const ids = ['plain', 'every', 'late', 'one'];
  await node.guard({ queue: 'jump', intervalMs: 500 });
  await node.work({ queue: 'jump', concurrency: 4 });
  await node.upsertScheduler({ queue: 'jump', schedulerId: 'plain', repeat: { pattern: '* * * * * *', tz: 'Africa/Cairo' } });
  await node.upsertScheduler({ queue: 'jump', schedulerId: 'every', repeat: { every: 1000 } });
  await node.upsertScheduler({ queue: 'jump', schedulerId: 'late', repeat: { pattern: '* * * * * *', jitter: 100 } });
  await node.upsertScheduler({ queue: 'jump', schedulerId: 'one', repeat: { pattern: '* * * * * *', catchup: 'one' } });
  const made = async () => (await Promise.all(ids.map((id) => server.redis.hget(`bull:jump:repeat:${id}`, 'ic')))).map(Number);
  const wait = async (what, more) => {
    const from = performance.now();
    const before = await made();
    await waitFor(what, async () => (await made()).every((count, i) => count >= before[i] + more));
    const after = await made();
    const seconds = (performance.now() - from) / 1000;
    after.forEach((count, i) => assert.ok(count <= before[i] + seconds + 4, `${what}: ${count - before[i]} runs of ${ids[i]} in ${seconds} s are no storm`));
  };

  await wait('runs', 3);
  await server.jump(86400);
  await wait('runs after the clock went on by a day', 4);
  await server.jump(0);
  const ahead = await made();
  await new Promise((resolve) => setTimeout(resolve, 2500)); // what was made of that day already isn't made again
  (await made()).forEach((count, i) => assert.ok(count <= ahead[i] + 2, `${ids[i]} waits`));
  await server.jump(86400 + 5);
  await wait('runs when that time is over', 3);
  await node.stop(); // nothing moves while it is looked at

  for (const id of ids) {
    const times = await madeTimes(server.redis, 'bull:jump', id);
    assert.equal(new Set(times).size, times.length);
    const rule = await server.redis.hgetall(`bull:jump:repeat:${id}`);
    assert.equal(times.length, Number(rule.ic), `${id}: each was made once`);
  }
});
