// Spans over languages: what a producer's tracer gives is what the consumer's tracer gets, whoever is which.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { closing, sameEffect, startPeer, startRedis, waitFor } from './lib.mjs';

let server, ours;

before(async () => {
  server = await startRedis();
  ours = startPeer(server.url);
});

after(async () => {
  await ours.stop();
  await server.stop();
});

/** BullMQ's telemetry interface: every span carries `metadata`; what consumers get goes to `got`. */
const telemetry = (metadata, got = []) => ({
  tracer: {
    startSpan: () => ({ setSpanOnContext: (context) => context, setAttribute() {}, setAttributes() {}, addEvent() {}, recordException() {}, end() {} }),
  },
  contextManager: {
    active: () => ({}),
    with: (context, run) => run(),
    getMetadata: () => metadata,
    fromMetadata: (context, text) => {
      got.push(text);
      return context;
    },
  },
});

const W3C = JSON.stringify({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a="ü"' });

test("our consumer gets the metadata of BullMQ's producer", async (t) => {
  const spans = [];
  ours.events.on('span', (span) => spans.push(span));
  const queue = closing(t, new Queue('theirs', { connection: server.connection, telemetry: telemetry(W3C) }));
  await queue.add('mail', {});
  await queue.add('quiet', {}, { telemetry: { omitContext: true } });
  const worker = await ours.work({ queue: 'theirs', trace: true });
  await waitFor('two spans', () => spans.filter((span) => span.final).length === 2);
  assert.deepEqual(
    spans.filter((span) => span.operation).map(({ operation, job, metadata }) => [operation, job, metadata]),
    [['process', 'mail', W3C], ['process', 'quiet', '']],
  );
  await ours.closeWorker({ worker });
});

test("BullMQ's consumer gets the metadata of our producer", async (t) => {
  const got = [];
  await ours.addTraced({ queue: 'mine', metadata: W3C, jobs: [{ name: 'mail' }] });
  await ours.addTraced({ queue: 'mine', metadata: 'bulk', jobs: [{ name: 'a' }, { name: 'b' }] });
  const worker = closing(t, new Worker('mine', async () => {}, { connection: server.connection, telemetry: telemetry('consumer', got) }));
  await waitFor('three jobs', async () => (await server.redis.zcard('bull:mine:completed')) === 3);
  await worker.close();
  assert.deepEqual(got.filter((text) => text === W3C || text === 'bulk'), [W3C, 'bulk', 'bulk']);
});

test('traced jobs are stored the same way', (t) =>
  sameEffect(t, server, Queue, 'stored', {
    theirs: async () => {
      const queue = closing(t, new Queue('stored', { connection: server.connection, prefix: 'node', telemetry: telemetry(W3C) }));
      await queue.add('one', {}, { attempts: 3 });
      await queue.add('quiet', {}, { telemetry: { omitContext: true } });
      await queue.addBulk([{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { priority: 2 } }, { name: 'own', data: {}, opts: { telemetry: { metadata: 'own' } } }]);
    },
    mine: async (where) => {
      await ours.addTraced({ ...where, metadata: W3C, jobs: [{ name: 'one', opts: { attempts: 3 } }] });
      await ours.addTraced({ ...where, metadata: W3C, jobs: [{ name: 'quiet', opts: { extra: '{"omc":true}' } }] });
      await ours.addTraced({ ...where, metadata: W3C, jobs: [{ name: 'a' }, { name: 'b', opts: { priority: 2 } }, { name: 'own', opts: { extra: '{"tm":"own"}' } }] });
    },
  }));

test("BullMQ's consumer gets the metadata of our flow's producer, parent and children alike", async (t) => {
  const got = [];
  await ours.addFlows({ metadata: W3C, flows: [{ name: 'parent', queueName: 'flow', children: [{ name: 'a', queueName: 'flow' }, { name: 'b', queueName: 'flow' }] }] });
  const worker = closing(t, new Worker('flow', async () => {}, { connection: server.connection, telemetry: telemetry('consumer', got) }));
  await waitFor('three jobs', async () => (await server.redis.zcard('bull:flow:completed')) === 3);
  await worker.close();
  assert.deepEqual(got.filter((text) => text === W3C), [W3C, W3C, W3C]);
});
