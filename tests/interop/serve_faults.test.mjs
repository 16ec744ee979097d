// `storychain serve` when it is ended, killed, or loses its Redis in the middle of work: nothing is lost, and it says so in time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Queue } from 'bullmq';
import { waitFor } from './lib.mjs';
import { serve, storychain, tempFolder, work } from './program.mjs';

const JOBS = 2000;

function queueOf(t, stateDir, name) {
  const path = join(stateDir, 'redis/redis.sock');
  const queue = new Queue(name, { connection: { path, maxRetriesPerRequest: null, retryStrategy: () => 20 }, skipMetasUpdate: true });
  queue.on('error', () => {});
  t.after(() => queue.close());
  return queue;
}

/** A state folder that outlives the serves in it: hooks run in their order, and the folder must go last. */
async function stateFolder(t) {
  const cleanups = [];
  t.after(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });
  const scope = { after: (f) => cleanups.push(f) };
  return { scope, state: join(await tempFolder(scope), 's') };
}

const events = (count) =>
  Array.from({ length: count }, (_, i) => ({ name: 'track-event', data: { event: 'story.viewed', userId: `u${i}`, properties: { i }, timestamp: new Date() }, opts: { removeOnComplete: false, removeOnFail: false } }));

const isAlive = async (pid) => !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tZ'));
const redisPid = async (state) => Number(await readFile(join(state, 'redis/redis.pid'), 'utf8'));

/** A mail server that takes connections and never says a word. */
async function silentServer(scope) {
  const sockets = new Set();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `smtp://127.0.0.1:${server.address().port}`, sockets };
}

const mail = { to: 'ada@example.org', subject: 'Hello', template: 'welcome', context: { name: 'Ada' } };

test('Redis killed in the middle of 2,000 jobs: all are finished, and HTTP answers meanwhile', async (t) => {
  const { scope, state } = await stateFolder(t), site = await serve(scope, state, ['--sample']), queue = queueOf(scope, state, 'analytics');
  const before = await redisPid(state), answers = [];
  let asking = true;
  const asker = (async () => {
    while (asking) {
      const response = await fetch(`${site.url}/api/stories?list=new`);
      answers.push({ status: response.status, type: response.headers.get('content-type'), body: await response.text() });
    }
  })();

  await queue.addBulk(events(JOBS / 2));
  await waitFor('some jobs are done', async () => (await queue.getCompletedCount()) > 10);
  process.kill(before, 'SIGKILL');
  await waitFor('the watchdog has started another', async () => ![0, before].includes(await redisPid(state)));
  await queue.addBulk(events(JOBS / 2));
  await waitFor('all jobs are done', async () => {
    const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'completed', 'failed');
    return counts.completed + counts.failed === JOBS && counts;
  }, 60_000).then((counts) => assert.equal(counts.failed, 0));
  asking = false;
  await asker;

  assert.ok(answers.some((a) => a.status === 200));
  for (const { status, type, body } of answers)
    if (status === 200) assert.equal(JSON.parse(body).stories.length, 1);
    else assert.deepEqual([status, type], [503, 'application/problem+json'], body);
  assert.match(site.log(), /our own Redis server died; starting it again/);
  assert.equal(await site.stop(), 0);
});

test('serve killed: its Redis ends too, and the next serve goes on with all that was there', async (t) => {
  const { scope, state } = await stateFolder(t), first = await serve(scope, state, ['--sample']), pid = await redisPid(state);
  const queue = queueOf(scope, state, 'cleanup');
  await queue.pause();
  await queue.addBulk(Array.from({ length: 50 }, () => ({ name: 'cleanup', data: { type: 'sessions', olderThan: new Date(0), dryRun: true }, opts: { removeOnComplete: false } })));
  await queue.close();

  first.child.kill('SIGKILL');
  await first.ended;
  await waitFor('its Redis has ended', async () => !(await isAlive(pid)));
  const second = await serve(scope, state, ['--sample']);

  const again = queueOf(scope, state, 'cleanup');
  assert.equal(await again.isPaused(), true);
  assert.equal(await again.getJobCountByTypes('wait', 'paused'), 50);
  await again.resume();
  await waitFor('they are done', async () => (await again.getCompletedCount()) === 50);
  const { stdout } = await storychain(['story', 'list', '--json', '--state-dir', state]);
  assert.equal(JSON.parse(stdout).length, 1);
  assert.equal(await second.stop(), 0);
});

test('SIGTERM: a job that does not end in time is handed back, exit code 0, and the next serve does it', async (t) => {
  const { scope, state } = await stateFolder(t), smtp = await silentServer(scope);
  const site = await serve(scope, state, ['--smtp-url', smtp.url, '--drain', '200ms']), queue = queueOf(scope, state, 'email');
  const job = await queue.add('send-email', mail);
  await waitFor('the mail is on its way', () => smtp.sockets.size > 0);
  await queue.close();

  const asked = performance.now();
  assert.equal(await site.stop(), 0);

  assert.ok(performance.now() - asked < 25_000, 'nobody waits for the mail server: that it is silent is noticed after 30 s');
  assert.match(site.log(), /1 job(s)? did not finish in time and/);
  const next = await serve(scope, state), again = queueOf(scope, state, 'email');
  await waitFor('the mail is sent', async () => (await again.getJob(job.id))?.finishedOn);
  assert.equal(await again.getJobState(job.id), 'completed');
  assert.equal((await readdir(join(state, 'mail/new'))).length, 1);
  assert.equal(await next.stop(), 0);
});

test('a second SIGTERM leaves at once; the job is taken up again', async (t) => {
  const { scope, state } = await stateFolder(t), smtp = await silentServer(scope);
  const site = await serve(scope, state, ['--smtp-url', smtp.url, '--drain', '1h']), queue = queueOf(scope, state, 'email'), pid = await redisPid(state);
  const job = await queue.add('send-email', mail);
  await waitFor('the mail is on its way', () => smtp.sockets.size > 0);
  await queue.close();

  site.child.kill('SIGTERM');
  await waitFor('it has begun to end', () => site.log().includes('once more: leave at once'));
  site.child.kill('SIGTERM');
  const { code } = await site.ended;

  assert.equal(code, 1);
  await waitFor('its Redis has ended', async () => !(await isAlive(pid)));
  const next = await serve(scope, state), again = queueOf(scope, state, 'email');
  assert.ok(await again.getJob(job.id), 'the job is still there');
  assert.equal(await next.stop(), 0);
});

test('a worker beside serve does jobs too, and ends without harm to it', async (t) => {
  const { scope, state } = await stateFolder(t), site = await serve(scope, state), queue = queueOf(scope, state, 'analytics');
  const worker = await work(scope, state);
  await queue.addBulk(events(200));
  await waitFor('all are done', async () => (await queue.getCompletedCount()) === 200);

  assert.equal(await worker.stop(), 0);

  await waitFor('serve to be ready', async () => (await fetch(`${site.url}/readyz`)).status === 200);
  assert.equal(await site.stop(), 0);
});
