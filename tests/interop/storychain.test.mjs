// StoryChain's own queues, fed by BullMQ: its Queue adds, `storychain serve` does the work, its QueueEvents and getters see it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Queue, QueueEvents } from 'bullmq';
import { BUILD_DIR, startRedis, waitFor } from './lib.mjs';

const PROGRAM = process.env.SC_PROGRAM ?? join(BUILD_DIR, 'storychain');
const LIMIT_MS = 60_000;
let server, storychain, state;
const opened = [];

before(async () => {
  server = await startRedis();
  state = join(server.folder, 'state');
  storychain = spawn(PROGRAM, ['serve', '--listen', '127.0.0.1:0', '--redis-url', server.url, '--state-dir', state], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, SITE_URL: 'https://storychain.example' },
  });
  process.once('exit', () => storychain.kill('SIGKILL'));
});

after(async () => {
  await Promise.all(opened.map((o) => o.close()));
  storychain.kill('SIGTERM');
  if (storychain.exitCode === null) await once(storychain, 'exit');
  assert.equal(storychain.exitCode, 0);
  await server.stop();
});

async function open(name) {
  const queue = new Queue(name, { connection: server.connection });
  // From the first event: one that reads from '$' misses what happens before its first read.
  const events = new QueueEvents(name, { connection: server.connection, lastEventId: '0' });
  opened.push(queue, events);
  await events.waitUntilReady();
  return { queue, events };
}

test('a mail added by BullMQ is sent, and BullMQ sees the result', async () => {
  const { queue, events } = await open('email');
  const job = await queue.add('send-email', { to: 'ada@example.org', subject: 'Grüße', template: 'welcome', context: { name: 'Ada <3' } });
  const result = await job.waitUntilFinished(events, LIMIT_MS);
  assert.equal(result.sent, true);
  assert.match(result.messageId, /^[0-9a-f]{32}@/);
  const [name] = await readdir(join(state, 'mail/new'));
  const mail = await readFile(join(state, 'mail/new', name), 'utf8');
  assert.match(mail, /^Subject: =\?UTF-8\?B\?R3LDvMOfZQ==\?=\r$/m);
  assert.match(mail, /Ada &lt;3/);
});

test('a payload that is not valid fails for good, with the field in its reason', async () => {
  const { queue, events } = await open('email');
  const job = await queue.add('send-email', { to: 'ada@example.org', subject: 'Hi\r\nBcc: eve@example.org', template: 'welcome', context: {} }, { attempts: 5 });
  await assert.rejects(job.waitUntilFinished(events, LIMIT_MS), /field "subject"/);
  assert.equal(await job.getState(), 'failed');
  assert.equal((await queue.getJob(job.id)).attemptsMade, 1);
});

test('events, dates as JavaScript writes them, are recorded', async () => {
  const { queue, events } = await open('analytics');
  const jobs = await queue.addBulk(
    Array.from({ length: 100 }, (_, i) => ({ name: 'track-event', data: { event: 'story.viewed', userId: `u${i}`, properties: { i }, timestamp: new Date() } })),
  );
  const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, LIMIT_MS)));
  assert.ok(results.every((r) => r.recorded === true));
});

test('a cleanup says what it deleted', async () => {
  const { queue, events } = await open('cleanup');
  const job = await queue.add('cleanup', { type: 'sessions', olderThan: new Date(Date.now() - 1000), dryRun: true });
  assert.deepEqual(await job.waitUntilFinished(events, LIMIT_MS), { deletedCount: 0 });
});

test('an export is refused with the reason', async () => {
  const { queue, events } = await open('export');
  const job = await queue.add('export', { userId: 'u', storyId: 's', format: 'pdf' });
  await assert.rejects(job.waitUntilFinished(events, LIMIT_MS), /can't export stories/);
});

test('the six schedules are BullMQ job schedulers', async () => {
  const { queue } = await open('scheduled-jobs');
  const schedulers = await waitFor('six schedules', async () => {
    const all = await queue.getJobSchedulers();
    return all.length === 6 && all;
  });
  assert.deepEqual(Object.fromEntries(schedulers.map((s) => [s.key, s.pattern])), {
    'cleanup-old-autosaves': '0 3 * * *',
    'cleanup-expired-sessions': '0 4 * * *',
    'aggregate-daily-stats': '0 0 * * *',
    'cleanup-old-notifications': '0 5 * * 0',
    'refresh-trending-stories': '*/30 * * * *',
    'health-check': '*/5 * * * *',
  });
  assert.deepEqual(schedulers.find((s) => s.key === 'cleanup-old-autosaves').template.data, { type: 'autosave', daysOld: 30 });
});
