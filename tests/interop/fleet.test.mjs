// A fleet of BullMQ's workers and ours on one queue, while its members are killed at random and replaced, and two are frozen until others have their
// jobs: no job is lost, none ends twice.
// SC_FLEET_SEED repeats a run's kills, SC_FLEET_JOBS sets how many jobs there are.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { closing, startPeer, startRedis, waitFor } from './lib.mjs';

const JOBS = Number(process.env.SC_FLEET_JOBS ?? 10_000);
const SEED = Number(process.env.SC_FLEET_SEED ?? Date.now() % 1e9);
const LIMIT_MS = 180_000;
const LOCK_MS = 2000; // as in fleet_worker.mjs
const HERE = dirname(fileURLToPath(import.meta.url));

/** mulberry32: numbers from 0 to 1. */
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

const kinds = {
  async node(server, queue) {
    const child = spawn(process.execPath, [join(HERE, 'fleet_worker.mjs'), server.connection.path, queue], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const kill = async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    };
    return { child, kill };
  },
  async ours(server, queue) {
    const peer = startPeer(server.url);
    await peer.work({ queue, name: 'c', concurrency: 10, lockDuration: LOCK_MS, stalledInterval: 500, maxStalledCount: 1000, drainDelay: 1000 });
    return { child: peer.child, kill: () => peer.kill() };
  },
};

/** A job of each sort, by its number: retries with and without backoff, failures for good, delays, priorities. */
function jobOf(n, random) {
  const data = { result: n, workMs: Math.floor(random() * 40) };
  const opts = { attempts: 1 };
  if (n % 5 === 1) Object.assign(data, { fail: 'again', failTimes: 1 }), Object.assign(opts, { attempts: 3 });
  if (n % 10 === 1) opts.backoff = { type: 'fixed', delay: 200 };
  if (n % 50 === 2) Object.assign(data, { fail: 'never' }), Object.assign(opts, { attempts: 2 });
  if (n % 7 === 3) opts.delay = Math.floor(random() * 3000);
  if (n % 11 === 4) opts.priority = 1 + (n % 3);
  return { name: `job ${n}`, data, opts };
}

const attemptsOf = (job) => (job.data.fail ? (job.data.failTimes ?? 1) + 1 : 1);

test(`${JOBS} jobs in a fleet that is killed bit by bit: none lost, none finished twice`, { timeout: 3 * LIMIT_MS }, async (t) => {
  t.diagnostic(`SC_FLEET_SEED=${SEED}`);
  const random = randomOf(SEED);
  const server = await startRedis();
  t.after(() => server.stop());
  const queue = closing(t, new Queue('fleet', { connection: server.connection, streams: { events: { maxLen: 100 * JOBS } } }));
  await queue.waitUntilReady();
  const jobs = Array.from({ length: JOBS }, (_, n) => jobOf(n, random));
  let added = 0;
  const add = async (share) => {
    const some = jobs.slice(added, added + Math.ceil(JOBS * share));
    if (some.length) await queue.addBulk(some);
    added += some.length;
  };
  await add(0.4);

  const finished = async () => (await server.redis.zcard('bull:fleet:completed')) + (await server.redis.zcard('bull:fleet:failed'));
  const fleet = [];
  t.after(() => Promise.all(fleet.map(({ kill }) => kill())));
  for (const kind of ['node', 'ours', 'node', 'ours']) fleet.push({ kind, ...(await kinds[kind](server, 'fleet')) });
  const frozen = fleet.slice(2).map(({ child }) => child); // until their jobs are others'; then they hear that they are
  await waitFor('all to be at work', async () => (await finished()) > 200);
  frozen.forEach((child) => child.kill('SIGSTOP'));
  const thawed = pause(LOCK_MS + 1500).then(() => frozen.forEach((child) => child.kill('SIGCONT')));
  const killed = { node: 0, ours: 0 };
  // The others come one part a kill: however fast the fleet is, there is work for those that die.
  for (const end = Date.now() + LIMIT_MS; added < JOBS || ((await finished()) < JOBS * 0.97 && Date.now() < end); await add(0.1)) {
    await pause(100 + random() * 400);
    const kills = killed.node + killed.ours;
    const victim = kills < 6 ? kills % 2 : Math.floor(random() * fleet.length), { kind, kill } = fleet[victim];
    await kill();
    killed[kind]++;
    fleet[victim] = { kind, ...(await kinds[kind](server, 'fleet')) };
  }
  await thawed;
  await waitFor('all jobs to be finished', async () => (await finished()) === JOBS, LIMIT_MS);

  const ends = new Map();
  let stalled = 0;
  for (const [, fields] of await server.redis.xrange('bull:fleet:events', '-', '+')) {
    if (fields[1] === 'completed' || fields[1] === 'failed') ends.set(fields[3], (ends.get(fields[3]) ?? 0) + 1);
    if (fields[1] === 'stalled') stalled++;
  }
  t.diagnostic(`killed: ${killed.node} of BullMQ's, ${killed.ours} of ours; jobs run again: ${stalled}`);
  assert.equal(ends.size, JOBS);
  assert.deepEqual([...ends].filter(([, times]) => times !== 1), []);
  const counts = await queue.getJobCounts();
  assert.deepEqual([counts.waiting, counts.active, counts.delayed, counts.prioritized], [0, 0, 0, 0]);
  const pipeline = server.redis.pipeline();
  for (let n = 0; n < JOBS; n++) pipeline.hmget(`bull:fleet:${n + 1}`, 'name', 'returnvalue', 'failedReason', 'atm');
  const by = new Set(await Promise.all(jobs.map((_, n) => server.redis.hget(`bull:fleet:${n + 1}`, 'pb'))));
  (await pipeline.exec()).forEach(([, [name, returned, reason, atm]], n) => {
    const job = jobs[n];
    const fails = job.data.fail && !job.data.failTimes;
    assert.deepEqual([name, returned, Number(atm)], [job.name, fails ? null : `${n}`, attemptsOf(job)], `job ${n + 1}: ${reason}`);
  });
  assert.deepEqual([...by].sort(), ['c', 'node']);
  assert.ok(killed.node && killed.ours && stalled, JSON.stringify({ killed, stalled }));
});
