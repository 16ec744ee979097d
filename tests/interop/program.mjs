// The program itself: a command run to its end, `storychain serve` as a child, and folders that go away with the test.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD_DIR, waitFor } from './lib.mjs';

export const PROGRAM = process.env.SC_PROGRAM ?? join(BUILD_DIR, 'storychain');

/** The environment without what would configure the program, and `more`. */
function environment(more) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(STORYCHAIN_|(REDIS|STORE|SMTP|SITE)_URL$|MAIL_FROM$|XDG_STATE_HOME$)/.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

export async function tempFolder(t) {
  const folder = await mkdtemp(join(tmpdir(), 'sc-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function startProgram(args, { env = {}, stdout = 'pipe', cwd } = {}) {
  const child = spawn(PROGRAM, args, { env: environment(env), cwd, stdio: ['ignore', stdout, 'pipe'] });
  const own = { child, stdout: '', stderr: '' };
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.removeListener('exit', end));
  child.stdout?.on('data', (d) => (own.stdout += d));
  child.stderr.on('data', (d) => (own.stderr += d));
  own.ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout: own.stdout, stderr: own.stderr }));
  return own;
}

/** Runs a command to its end: { code, signal, stdout, stderr }. */
export function storychain(args, options) {
  return startProgram(args, options).ended;
}

/** Runs a command that changes much in slices (`start()` gives its child), and interrupts it in the first of them: the server holds that until the signal is noted,
 *  however long each of us is without processor. */
export async function interruptInFirstSlice(redis, start) {
  await redis.client('PAUSE', 60_000, 'WRITE');
  const child = start();
  try {
    await waitFor('its first slice', async () => /flags=\w*b/.test(await redis.client('LIST')));
    child.kill('SIGINT');
    await waitFor('it to note the signal', async () => {
      const tasks = await readdir(`/proc/${child.pid}/task`);
      const states = await Promise.all(tasks.map((task) => readFile(`/proc/${child.pid}/task/${task}/status`, 'utf8')));
      return states.every((state) => /^State:\s+S/m.test(state) && /^ShdPnd:\s+0+$/m.test(state));
    });
  } finally {
    await redis.client('UNPAUSE');
  }
}

/** Checks of commands that `run(...args)` runs: expectJson() gives what one prints with --json, expectFailure() wants an exit code and a sentence. */
export function checks(run) {
  return {
    async expectJson(...args) {
      const got = await run(...args, '--json');
      assert.deepEqual([got.code, got.stderr], [0, ''], args.join(' '));
      return JSON.parse(got.stdout);
    },
    async expectFailure(code, sentence, ...args) {
      const got = await run(...args);
      assert.equal(got.code, code, `${args.join(' ')}: ${JSON.stringify(got)}`);
      assert.match(got.stderr, sentence);
      assert.equal(got.stdout, '');
    },
  };
}

/** A command that stays, killed when the test ends: { where: what --json says, url, child, log(), ended, stop() }. */
async function stay(t, args, options) {
  const own = startProgram(args, options);
  t.after(async () => {
    own.child.kill('SIGKILL');
    await own.ended;
  });
  await waitFor(`${args[0]} says where it is`, () => {
    if (own.child.exitCode !== null) throw new Error(`${args[0]} ended with ${own.child.exitCode}: ${own.stderr}`);
    return own.stdout.includes('\n');
  }, 60_000);
  const where = JSON.parse(own.stdout);
  return {
    where,
    url: where.url,
    child: own.child,
    ended: own.ended,
    log: () => own.stderr,
    async stop() {
      own.child.kill('SIGTERM');
      return (await own.ended).code;
    },
  };
}

/** `storychain serve` on a free port. */
export function serve(t, stateDir, args = [], options = {}) {
  return stay(t, ['serve', '--json', '--listen', '127.0.0.1:0', '--state-dir', stateDir, ...args], options);
}

/** `storychain worker` beside the serve of that state folder. */
export function work(t, stateDir, args = [], options = {}) {
  return stay(t, ['worker', '--json', '--state-dir', stateDir, ...args], options);
}

export const FAILED = 1, USAGE = 2, NOT_FOUND = 3, UNREACHABLE = 4, REFUSED = 5;

/** Runs it, expects the exit code and one line on stderr that matches; gives stdout. */
export async function expectFailure(args, code, sentence, options) {
  const got = await storychain(args, options);
  const said = `${args.join(' ')}: ${JSON.stringify(got)}`;
  assert.equal(got.code, code, said);
  assert.match(got.stderr, sentence, said);
  const lines = got.stderr.split('\n').filter((line) => line && !line.startsWith('{"ts"'));
  assert.equal(lines.length, 1, said);
  assert.ok(got.stderr.endsWith('\n'), said);
  return got.stdout;
}

/** Runs it with --json and gives what it printed. */
export async function expectJson(args, options) {
  const got = await storychain([...args, '--json'], options);
  assert.equal(got.code, 0, `${args.join(' ')}: ${got.stderr}`);
  assert.equal(got.stderr, '');
  return JSON.parse(got.stdout);
}
