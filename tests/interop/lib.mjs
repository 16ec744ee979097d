// What every interop test needs: a Redis of its own, BullMQ's side, our side (tests_peer), waiting, and dumps of a queue's keys.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Redis from 'ioredis';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const BUILD_DIR = process.env.SC_BUILD_DIR ?? join(ROOT, 'build/dev');

/** Awaits a condition (may be async); throws `what` after `limitMs`. Gives the condition's value. */
export async function waitFor(what, condition, limitMs = 60_000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Closes a Queue, Worker, … when the test ends, however it ends: an open one would keep the process from ending. */
export function closing(t, thing) {
  t.after(() => thing.close(true));
  return thing;
}

/** A Redis on a unix socket in a folder of its own: { url, connection, redis, stop() }.
 *  `connection` is for BullMQ, `url` for ours, `redis` an ioredis client to look at keys with. */
export async function startRedis(...args) {
  const folder = await mkdtemp(join(tmpdir(), 'sc-interop-'));
  const path = join(folder, 'redis.sock');
  const program = process.env.SC_TEST_SERVER ?? 'redis-server';
  const child = spawn(program, ['--port', '0', '--unixsocket', path, '--dir', folder, '--save', '', '--daemonize', 'no', ...args], {
    stdio: 'ignore',
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const redis = new Redis({ path, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on('error', () => {});
  await waitFor(`${program} to answer`, () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} ended (${child.signalCode ?? child.exitCode})`);
    return redis.status === 'ready';
  }).catch((error) => {
    redis.disconnect();
    end();
    throw error;
  });
  return {
    url: `unix://${path}`,
    connection: { path, maxRetriesPerRequest: null },
    redis,
    folder,
    async stop() {
      redis.disconnect();
      process.removeListener('exit', end);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Our side: tests_peer as a child. `await ours.add({ queue: 'q', … })` sends one command and gives its result, or
 *  throws an Error whose `code` is the sc_err's name. Every op of tests/interop/peer*.c is a method; `events` emits what it
 *  tells without being asked ({"event":"completed",…} as events.on('completed', …)). */
export function startPeer(url) {
  const child = spawn(join(BUILD_DIR, 'tests_peer'), [url], { stdio: ['pipe', 'pipe', 'inherit'] });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const waiting = new Map();
  const events = new EventEmitter();
  let next = 1;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error, event, ...rest } = JSON.parse(line);
    if (event) {
      events.emit(event, rest);
      return;
    }
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(Object.assign(new Error(`${error.code}: ${error.reason}`), error));
    else resolve(result);
  });
  const failAll = (why) => {
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  };
  child.on('exit', (code, signal) => failAll(`tests_peer ended (${signal ?? code})`));
  child.on('error', (error) => failAll(`tests_peer could not be started: ${error.message}; SC_BUILD_DIR names the build to test`));
  child.stdin.on('error', () => {});
  const call = (op, args = {}) =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      child.stdin.write(JSON.stringify({ id, op, ...args }) + '\n');
    });
  const own = {
    child,
    events,
    /** Ends it and waits; fails when it did not end by itself with 0 (a sanitizer's report, for one). */
    async stop() {
      process.removeListener('exit', end);
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      if (child.exitCode !== 0) throw new Error(`tests_peer ended with ${child.signalCode ?? child.exitCode}`);
    },
    async kill() {
      process.removeListener('exit', end);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
  return new Proxy(own, {
    get: (target, name) => (name in target || typeof name !== 'string' || name === 'then' ? target[name] : (args) => call(name, args)),
  });
}

const JSON_FIELDS = new Set(['data', 'opts', 'parent', 'progress', 'returnvalue', 'stacktrace']);

function parsed(field, text) {
  if (!JSON_FIELDS.has(field)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return { notJson: text };
  }
}

function pairs(flat, decode = (_, value) => value) {
  const out = {};
  for (let i = 0; i < flat.length; i += 2) out[flat[i]] = decode(flat[i], flat[i + 1]);
  return out;
}

const readers = {
  string: (redis, key) => redis.get(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: async (redis, key) => (await redis.smembers(key)).sort(),
  zset: async (redis, key) => {
    const flat = await redis.zrange(key, 0, -1, 'WITHSCORES');
    return flat.flatMap((member, i) => (i % 2 ? [] : [[member, flat[i + 1]]]));
  },
  hash: async (redis, key) => {
    const hash = await redis.hgetall(key);
    return Object.fromEntries(
      Object.keys(hash)
        .sort()
        .map((field) => [field, parsed(field, hash[field])]),
    );
  },
  stream: async (redis, key) => (await redis.xrange(key, '-', '+')).map(([, fields]) => pairs(fields, parsed)),
};

/** Every key under `prefix:`, as data that can be compared: JSON parsed, streams in order without their ids.
 *  `rename(text)` is applied to every key, text and score: give it what makes ids, times and prefixes alike. */
export async function dump(redis, prefix, rename = (text) => text) {
  const out = {};
  const keys = [];
  let cursor = '0';
  do {
    const [to, some] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000);
    keys.push(...some);
    cursor = to;
  } while (cursor !== '0');
  const deep = (value) =>
    typeof value === 'string'
      ? rename(value)
      : Array.isArray(value)
        ? value.map(deep)
        : value && typeof value === 'object'
          ? Object.fromEntries(Object.entries(value).map(([k, v]) => [rename(k), deep(v)]))
          : value;
  for (const key of keys.sort()) {
    const type = await redis.type(key);
    const ttl = await redis.pttl(key);
    out[rename(key)] = { type, value: deep(await readers[type](redis, key)), expires: ttl > 0 };
  }
  return out;
}

/** Texts of `dump` made alike: the prefix becomes P, dates in ms become T, scores of delayed jobs T*4096+k. */
export function alike(prefix) {
  return (text) =>
    text
      .replaceAll(new RegExp(`(^|"|')${prefix}:`, 'g'), '$1P:')
      .replace(/^[67]\d{15}$/, (score) => `T*4096+${BigInt(score) % 4096n}`)
      .replaceAll(/\b1[5-9]\d{11}(\.\d+)?\b/g, 'T');
}

/** Runs `act(now)` on a clock that stands still: BullMQ reads it anew to make a delay out of a date. */
export async function atOneMoment(act) {
  const clock = Date.now, now = clock();
  Date.now = () => now;
  try {
    return await act(now);
  } finally {
    Date.now = clock;
  }
}

/** BullMQ prepares the same queue under two prefixes; then `theirs(queue)` acts on one, `mine(where)` on the other. All keys must be alike. */
export async function sameEffect(t, server, Queue, name, { prepare, theirs, mine }) {
  const queues = {};
  for (const prefix of ['node', 'c']) {
    queues[prefix] = closing(t, new Queue(name, { connection: server.connection, prefix }));
    await queues[prefix].waitUntilReady();
    await waitFor('meta', () => server.redis.exists(`${prefix}:${name}:meta`));
    await prepare?.(queues[prefix], prefix);
  }
  await theirs(queues.node);
  await mine({ queue: name, prefix: 'c' });
  assert.deepEqual(await dump(server.redis, 'c:' + name, alike('c')), await dump(server.redis, 'node:' + name, alike('node')));
}

/** The jobs that wait for a worker, or for their time, when all workers have stopped: a guardian makes a run without one. `key`: "bull:queue". */
export async function unfinished(redis, key) {
  assert.equal(await redis.llen(`${key}:active`), 0);
  return [...(await redis.lrange(`${key}:wait`, 0, -1)), ...(await redis.zrange(`${key}:delayed`, 0, -1))];
}

/** When all workers have stopped: every job that a schedule without policies made has ended, or is one of those `left`, and among these is that of its
 *  next run. Gives the times of all. */
export async function assertEachMadeOnce(redis, key, id, ended, left) {
  const jobs = [...ended, ...left].filter((job) => job.startsWith(`repeat:${id}:`));
  assert.equal(new Set(jobs).size, jobs.length, `${id}: none is there twice`);
  assert.equal(Number(await redis.hget(`${key}:repeat:${id}`, 'ic')), jobs.length, `${id}: every job made was run, but those left`);
  assert.ok(left.includes(`repeat:${id}:${await redis.zscore(`${key}:repeat`, id)}`), `${id}: the job of the next run is there`);
  return jobs.map((job) => Number(job.slice(`repeat:${id}:`.length)));
}

/** The times that a scheduler has jobs for, in order, whatever became of these. `key`: "bull:queue". */
export async function madeTimes(redis, key, id) {
  const keys = await redis.keys(`${key}:repeat:${id}:*`);
  return keys.map((name) => name.slice(`${key}:repeat:${id}:`.length)).filter((ms) => /^\d+$/.test(ms)).map(Number).sort((a, b) => a - b);
}

/** The same with the ms when each was made: [[ms, made], …]. */
export async function madeRuns(redis, key, id) {
  const times = await madeTimes(redis, key, id);
  return Promise.all(times.map(async (ms) => [ms, Number(await redis.hget(`${key}:repeat:${id}:${ms}`, 'timestamp'))]));
}

/** Where runs `step` ms apart are missing: [[the one before, the one after, when that was made], …]. Without those that were past for `graceMs` by then, for
 *  those are skipped, as in BullMQ: nobody was there in time, or the machine stood still. */
export function leftOut(runs, step, graceMs) {
  const gaps = runs.slice(1).map(([ms, made], i) => [runs[i][0], ms, made]);
  return gaps.filter(([before, ms, made]) => ms - before !== step && !((ms - before) % step === 0 && before + step + graceMs <= made && ms - step <= made));
}
