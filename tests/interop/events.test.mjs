// Both sides read each other's events: every event that BullMQ's calls make, custom ones, and after a lost connection.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, QueueEvents, QueueEventsProducer, Worker } from 'bullmq';
import { closing, startPeer, startRedis, waitFor } from './lib.mjs';

let server, ours;
const read = []; // by the number of our reader: what it told, in order

before(async () => {
  server = await startRedis();
  ours = startPeer(server.url);
  ours.events.on('read', ({ reader, what }) => (read[reader] ??= []).push(what));
});

after(async () => {
  await ours.stop();
  await server.stop();
});

const nodeQueue = (t, name) => closing(t, new Queue(name, { connection: server.connection }));

/** Our reader of a queue's events, from now on: its number, and what it has read so far. */
async function startReader(queue) {
  const number = await ours.readEvents({ queue });
  read[number] = [];
  return { number, events: read[number] };
}

test('every event of the calls of BullMQ is read as its own QueueEvents reads it', async (t) => {
  const queue = nodeQueue(t, 'all');
  await queue.waitUntilReady();
  const mine = await startReader('all');
  const theirs = [];
  const theirEvents = closing(t, new QueueEvents('all', { connection: server.connection, lastEventId: '0' }));
  const names = ['added', 'waiting', 'delayed', 'active', 'completed', 'failed', 'retries-exhausted', 'progress', 'drained', 'removed'];
  for (const event of [...names, 'cleaned', 'paused', 'resumed', 'duplicated', 'deduplicated'])
    theirEvents.on(event, (args) => theirs.push({ event, ...(typeof args === 'object' ? args : {}) }));

  await queue.pause();
  await queue.add('good', {}, { jobId: 'one' });
  await queue.add('good', {}, { jobId: 'one' });
  await queue.add('good', {}, { deduplication: { id: 'd' } });
  await queue.add('good', {}, { deduplication: { id: 'd' } });
  await queue.add('bad', {}, { attempts: 2 });
  const late = await queue.add('good', {}, { delay: 60_000 });
  await late.promote();
  await (await queue.add('gone', {}, { delay: 60_000 })).remove();
  await queue.resume();
  const worker = closing(
    t,
    new Worker(
      'all',
      async (job) => {
        await job.updateProgress({ half: true, 'ü': 'ß' });
        if (job.name === 'bad') throw new Error('no "luck"');
        return { done: [job.id, null, 1.5] };
      },
      { connection: server.connection },
    ),
  );
  await waitFor('the jobs to end', async () => (await queue.getJobCountByTypes('completed', 'failed')) === 4);
  await worker.close();
  await queue.clean(0, 100, 'completed');

  await waitFor('BullMQ to have read it', () => theirs.at(-1)?.event === 'cleaned');
  await waitFor('us to have read it', () => mine.events.length >= theirs.length);
  for (const name of [...names, 'cleaned', 'paused', 'resumed', 'duplicated', 'deduplicated'])
    assert.ok(mine.events.some(({ event }) => event === name), `no ${name} in ${JSON.stringify(mine.events)}`);
  // BullMQ gives texts where we give numbers, but for `delay`.
  const alike = (events) => events.map(({ count, attemptsMade, ...rest }) => ({ ...rest, count: Number(count ?? 0), attemptsMade: Number(attemptsMade ?? 0) }));
  assert.deepEqual(alike(mine.events), alike(theirs));
});

test('custom events of BullMQ are read by us, ours by BullMQ', async (t) => {
  const mine = await startReader('custom');
  const theirs = [];
  const theirEvents = closing(t, new QueueEvents('custom', { connection: server.connection, lastEventId: '0' }));
  theirEvents.on('mine', (args, id) => theirs.push([args, id]));
  const producer = closing(t, new QueueEventsProducer('custom', { connection: server.connection }));

  await producer.publishEvent({ eventName: 'theirs', text: 'ä b', jobId: '7' });
  await ours.publishEvent({ queue: 'custom', eventName: 'mine', fields: { text: 'ö', n: '1' } });

  await waitFor('both events', () => mine.events.length === 2);
  assert.deepEqual(mine.events, [
    { event: 'theirs', text: 'ä b', jobId: '7' },
    { event: 'mine', text: 'ö', n: '1' },
  ]);
  await waitFor('BullMQ to have read ours', () => theirs.length);
  assert.deepEqual(theirs[0][0], { text: 'ö', n: '1' });
  assert.match(theirs[0][1], /^\d+-\d+$/);
});

test("a custom event cuts the stream to about 1,000, as BullMQ's", async () => {
  for (let i = 0; i < 1500; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, k) => ours.publishEvent({ queue: 'cut', eventName: 'n', fields: { i: `${i + k}` } })));
  const left = await server.redis.xlen('bull:cut:events');
  assert.ok(left >= 1000 && left < 1200, `${left} events`);
});

test('our reader is listed by getQueueEvents, and killed over and over it reads on without loss', async (t) => {
  const queue = nodeQueue(t, 'killed');
  const mine = await startReader('killed');
  const producer = closing(t, new QueueEventsProducer('killed', { connection: server.connection }));
  const [listed] = await waitFor('BullMQ to list our reader', async () => {
    const found = await queue.getQueueEvents();
    return found.length && found;
  });
  assert.equal(listed.rawname, `bull:${Buffer.from('killed').toString('base64')}:qe`);

  let made = 0;
  for (let round = 0; round < 4; round++) {
    const [{ id } = {}] = await waitFor('our reader to be there', async () => {
      const found = await queue.getQueueEvents();
      return found.length && found;
    });
    const publish = async () => producer.publishEvent({ eventName: 'n', i: `${made++}` }, 10_000);
    for (let k = 0; k < 5; k++) await publish();
    await server.redis.client('KILL', 'ID', id);
    for (let k = 0; k < 5; k++) await publish();
  }

  await waitFor('all events', () => mine.events.length >= made);
  assert.deepEqual(
    mine.events.map(({ i }) => Number(i)),
    Array.from({ length: made }, (_, i) => i),
  );
});

test("the end of a job in a worker of BullMQ's is waited for", async (t) => {
  const queue = nodeQueue(t, 'wait');
  const { number } = await startReader('wait');
  let go = Promise.resolve();
  closing(
    t,
    new Worker(
      'wait',
      async (job) => {
        await go;
        if (job.name === 'bad') throw new Error('why not');
        return { sum: 3 };
      },
      { connection: server.connection, concurrency: 3 },
    ),
  );
  const wait = ({ id }) => ours.waitUntilFinished({ queue: 'wait', reader: number, jobId: id });
  const [good, bad] = await queue.addBulk([
    { name: 'good', data: {} },
    { name: 'bad', data: {} },
  ]);

  assert.deepEqual(await wait(good), { state: 'completed', returnvalue: { sum: 3 } });
  assert.deepEqual(await wait(bad), { state: 'failed', failedReason: 'why not' });
  assert.deepEqual(await wait(good), { state: 'completed', returnvalue: { sum: 3 } });
  // One that is gone at its end must still be there when we look at it first.
  const looks = async () => Number((await server.redis.info('commandstats')).match(/cmdstat_zscore:calls=(\d+)/)[1]);
  let release;
  go = new Promise((resolve) => (release = resolve));
  const brief = await queue.add('good', {}, { removeOnComplete: true });
  const before = await looks();
  const end = wait(brief);
  await waitFor('us to look at it', async () => (await looks()) > before);
  release();
  assert.deepEqual(await end, { state: 'completed', returnvalue: { sum: 3 } });
  await assert.rejects(wait({ id: 'none' }), { code: 'SC_ENOJOB' });
});

test('a reader that is started late has what BullMQ did since it was made, and waits for events as long as it was told to', async (t) => {
  const queue = nodeQueue(t, 'late');
  await queue.waitUntilReady();
  await queue.add('before', {});
  const reader = await ours.readEvents({ queue: 'late', autorun: false, blockMs: 20 });
  read[reader] = [];
  const { id } = await queue.add('after', {});
  assert.deepEqual(read[reader], []);

  await ours.startEvents({ reader });
  await waitFor('the job', () => read[reader].some(({ jobId }) => jobId === id));
  assert.ok(read[reader].every(({ jobId }) => jobId === id));
  const asked = async () => Number((await server.redis.info('commandstats')).match(/cmdstat_xread:calls=(\d+)/)[1]);
  const calls = await asked();
  await waitFor('it to ask again and again', async () => (await asked()) > calls + 3);
});
