// The dashboard in Chromium, on a real `storychain serve`, with jobs that BullMQ adds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { BUILD_DIR, startRedis, waitFor } from '../interop/lib.mjs';

const { Queue, Worker } = createRequire(new URL('../interop/lib.mjs', import.meta.url))('bullmq');
const PROGRAM = process.env.SC_PROGRAM ?? join(BUILD_DIR, 'storychain');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const EVIL = '<img src=x onerror=alert(1)><script>alert(2)</script>';

let redis, folder, server, url, browser;

before(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'sc-browser-'));
  server = spawn(PROGRAM, ['serve', '--listen', '127.0.0.1:0', '--state-dir', join(folder, 'state')], { env: { ...process.env, REDIS_URL: redis.url } });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (bytes) => { said += bytes; });
  url = await waitFor('the address of the server', () => {
    if (server.exitCode !== null) throw new Error(`the server ended: ${said}`);
    return said.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/)?.[0];
  });
  await waitFor('the server to be ready', () => fetch(`${url}/readyz`).then((reply) => reply.ok, () => false));
  browser = await chromium.launch({ executablePath: process.env.SC_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS, timeout: 120_000 });
});

after(async () => {
  await browser?.close();
  if (server && server.exitCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A page that tells what went wrong in it. */
async function open(path = '/', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.trouble = [];
  page.on('dialog', (dialog) => { page.trouble.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('pageerror', (error) => page.trouble.push(`error: ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error') page.trouble.push(`console: ${message.text()}`); });
  await page.goto(url + path);
  await page.locator('#live.on').waitFor();
  return page;
}

async function close(page) {
  assert.deepEqual(page.trouble, []);
  await page.context().close();
}

async function withQueue(name, work) {
  const queue = new Queue(name, { connection: redis.connection });
  try {
    await work(queue);
  } finally {
    await queue.close();
  }
}

test('the queues of StoryChain, its schedules and what it runs on are shown', async () => {
  const page = await open();
  for (const name of ['email', 'notification', 'analytics', 'cleanup', 'export', 'scheduled-jobs']) await page.locator('#queues .name', { hasText: new RegExp(`^${name}$`) }).waitFor();
  await page.locator('#schedules .name', { hasText: 'cleanup-old-autosaves' }).waitFor();
  await page.locator('#server', { hasText: 'SQLite' }).waitFor();
  assert.match(await page.locator('#server').innerText(), /connected/);
  await close(page);
});

test('a job that is added appears by itself, and is shown whole', async () => {
  const page = await open();
  await withQueue('printing', async (queue) => {
    const job = await queue.add('print-poster', { pages: [1, 2], paper: 'A2' }, { delay: 600_000, attempts: 3 });
    await page.locator('#joblist .name', { hasText: 'print-poster' }).click();
    await page.locator('#job[open]').waitFor();
    assert.match(await page.locator('#job').innerText(), /"paper": "A2"/);
    assert.equal(new URL(page.url()).hash, `#job/printing/${job.id}`);
    await page.locator('#job button', { hasText: 'Run now' }).click();
    await page.locator('#job .badge', { hasText: 'Waiting' }).waitFor();
    assert.equal(await job.getState(), 'waiting');
    await page.keyboard.press('Escape');
    await page.locator('#job:not([open])').waitFor({ state: 'attached' });
  });
  await close(page);
});

test('a failed job shows its reason, trace and log, and is retried', async () => {
  const page = await open();
  await withQueue('mending', async (queue) => {
    const worker = new Worker('mending', async (job) => { await job.log('looked at it'); throw new Error('no glue left'); }, { connection: redis.connection });
    const job = await queue.add('mend', {});
    await waitFor('the failure', () => job.isFailed());
    await worker.close();
    await page.locator('#joblist .sub', { hasText: 'no glue left' }).click();
    await page.locator('#job pre', { hasText: 'looked at it' }).waitFor();
    assert.match(await page.locator('#job').innerText(), /Error: no glue left\n\s+at /);
    await page.locator('#job button', { hasText: 'Retry' }).click();
    await waitFor('the job to wait again', () => job.isWaiting());
  });
  await close(page);
});

test('nothing that a job says becomes part of the page', async () => {
  const page = await open();
  const elements = () => page.evaluate(() => document.querySelectorAll('img, script, iframe, svg image').length);
  const had = await elements();
  await withQueue(EVIL, async (queue) => {
    const worker = new Worker(EVIL, async (job) => { await job.log(EVIL); throw new Error(EVIL); }, { connection: redis.connection });
    const job = await queue.add(EVIL, { [EVIL]: EVIL }, { jobId: 'x"><svg onload=alert(3)>' });
    await waitFor('the failure', () => job.isFailed());
    await worker.close();
    await page.locator('#joblist .name', { hasText: EVIL }).click();
    await page.locator('#job[open] pre', { hasText: EVIL }).first().waitFor();
    await page.locator('#queues .name', { hasText: EVIL }).waitFor();
    assert.equal(await page.locator('#job-title').innerText(), EVIL);
    assert.equal(await elements(), had);
  });
  await close(page);
});

test('a queue is paused and resumed by its button', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Pause export' }).click();
  await page.locator('#queues tr', { hasText: 'export' }).locator('.badge.paused').waitFor();
  await withQueue('export', async (queue) => assert.equal(await queue.isPaused(), true));
  await page.getByRole('button', { name: 'Resume export' }).click();
  await page.getByRole('button', { name: 'Pause export' }).waitFor();
  await withQueue('export', async (queue) => assert.equal(await queue.isPaused(), false));
  await close(page);
});

test('a page that nobody sees asks for nothing', async () => {
  const page = await open();
  let asked = 0;
  const hide = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await hide(true);
  await page.locator('#live-text', { hasText: 'Waiting for you' }).waitFor();
  page.on('request', () => asked++);
  await page.evaluate(() => new Promise((done) => setTimeout(done, 2500)));
  assert.equal(asked, 0);
  await hide(false);
  await page.locator('#live.on').waitFor();
  await waitFor('questions', () => asked > 0);
  await close(page);
});

test('a server that does not answer is said not to, until it does', async () => {
  const page = await open();
  server.kill('SIGSTOP');
  await page.locator('#live.off').waitFor();
  server.kill('SIGCONT');
  await page.locator('#live.on').waitFor();
  await close(page);
});

test('a tile shows the jobs that it counts', async () => {
  const page = await open();
  await withQueue('mending', async (queue) => {
    await queue.add('mend-later', {}, { delay: 600_000 });
    await page.getByRole('button', { name: 'Show jobs: Delayed' }).click();
    await page.locator('#joblist .name', { hasText: 'mend-later' }).waitFor();
    await waitFor('only delayed jobs', async () => (await page.locator('#joblist .badge:not([data-state=delayed])').count()) === 0);
  });
  await close(page);
});

test('a telephone shows it all without scrolling sideways, in the dark too', async () => {
  const page = await open('/', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await page.locator('#queues .name').first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 360);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(22, 20, 18)');
  await close(page);
});

test('a job that is gone is said to be, and a bad link does no harm', async () => {
  const page = await open('/#job/email/999999');
  await page.locator('#job', { hasText: 'No such job' }).waitFor();
  await page.goto(`${url}/#job/%E0%A4%A/%`);
  await page.locator('#live.on').waitFor();
  page.trouble = page.trouble.filter((text) => !text.includes('404'));
  await close(page);
});
