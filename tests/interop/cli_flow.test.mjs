// The program shows flows that BullMQ made.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FlowProducer, Worker } from 'bullmq';
import { closing, startRedis, waitFor } from './lib.mjs';
import { storychain } from './program.mjs';

const OK = 0, USAGE = 2, NOT_FOUND = 3;
let server;
before(async () => (server = await startRedis()));
after(() => server.stop());

const run = (...args) => storychain([...args, '--redis-url', server.url]);

test('a flow is shown as a tree, with the state of each job', async (t) => {
  const { connection } = server;
  const flows = closing(t, new FlowProducer({ connection }));
  await flows.add({
    name: 'bind',
    queueName: 'books',
    opts: { jobId: 'book' },
    children: [
      { name: 'render', queueName: 'chapters', opts: { jobId: 'one' } },
      { name: 'cover', queueName: 'covers', opts: { jobId: 'cover' }, children: [{ name: 'draw\u001b[31m', queueName: 'drawings', opts: { jobId: 'lamp', delay: 3_600_000 } }] },
    ],
  });
  const worker = closing(t, new Worker('chapters', async () => 7, { connection }));
  await waitFor('the chapter', () => server.redis.zscore('bull:chapters:completed', 'one'));
  await worker.close();

  const { stdout, stderr, code } = await run('flow', 'show', 'books', 'book');
  assert.deepEqual([code, stderr], [OK, '']);
  assert.equal(
    stdout,
    'book  bind  bull:books  waiting-children\n' +
      '  one  render  bull:chapters  completed\n' +
      '  cover  cover  bull:covers  waiting-children\n' +
      '    lamp  draw?[31m  bull:drawings  delayed\n',
  );
  const tree = JSON.parse((await run('flow', 'show', 'books', 'book', '--json')).stdout);
  const outline = ({ id, queue, state, children }) => [id, queue, state, ...children.map(outline)];
  assert.deepEqual(outline(tree), [
    'book',
    'bull:books',
    'waiting-children',
    ['one', 'bull:chapters', 'completed'],
    ['cover', 'bull:covers', 'waiting-children', ['lamp', 'bull:drawings', 'delayed']],
  ]);
  assert.equal((await run('flow', 'show', 'books', 'book', '--depth', '1')).stdout, 'book  bind  bull:books  waiting-children\n');
  assert.equal((await run('flow', 'show', 'chapters', 'one', '--children', '1')).stdout, 'one  render  bull:chapters  completed\n');
});

test('what is not there, or not to be read so far, is refused', async () => {
  await server.redis.hset('bull:books:meta', 'version', 'bullmq:6.7.0');
  const gone = await run('flow', 'show', 'books', 'gone');
  assert.equal(gone.code, NOT_FOUND);
  assert.match(gone.stderr, /the queue books has no job gone/);
  assert.equal((await run('flow', 'show', 'bokos', 'book')).code, NOT_FOUND);
  assert.equal((await run('flow', 'show', 'books', 'book', '--depth', '101')).code, USAGE);
  assert.equal((await run('flow', 'show', 'books')).code, USAGE);
});
