// Schedules from the shell: what is shown before, stored, run, paused, made up for and removed; BullMQ sees the same.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Queue, Worker } from 'bullmq';
import { closing, startRedis, waitFor } from './lib.mjs';
import { checks, storychain } from './program.mjs';

const USAGE = 2, NOT_FOUND = 3;
let server;
before(async () => (server = await startRedis()));
after(() => server.stop());

const run = (...args) => storychain([...args, '--redis-url', server.url]);
const { expectJson, expectFailure } = checks(run);
const schedule = (verb, ...args) => run('schedule', verb, ...args, '--queue', 'shell');
const scheduleJson = (verb, ...args) => expectJson('schedule', verb, ...args, '--queue', 'shell');

test('dates may lack the zone, or the time: then they are of the schedule\'s zone', async () => {
  const first = async (tz, from, ...more) =>
    JSON.parse((await storychain(['schedule', 'preview', '*/30 * * * *', '--tz', tz, '--from', from, '--count', '1', '--json', ...more])).stdout)[0].utc;

  assert.equal(await first('Europe/Berlin', '2026-03-28'), '2026-03-27T23:30:00Z');
  assert.equal(await first('Europe/Berlin', '2026-03-28T02:00'), '2026-03-28T01:30:00Z');
  assert.equal(await first('Europe/Berlin', '2026-03-28 02:00:00'), '2026-03-28T01:30:00Z');
  assert.equal(await first('Europe/Berlin', '2026-03-29T02:30'), '2026-03-29T01:30:00Z', 'clocks jump over it: from 03:00 on');
  assert.equal(await first('Europe/Berlin', '2026-10-25T02:15'), '2026-10-25T00:30:00Z', 'the first of two passes');
  assert.equal(await first('Africa/Cairo', '2026-04-24'), '2026-04-23T22:30:00Z', 'a day that begins at 01:00');
  assert.equal(await first('UTC', '1970-01-01', '--start', '2030-01-01', '--end', '2030-01-02T00:00'), '2030-01-01T00:30:00Z');
  assert.equal((await storychain(['cron', 'next', '0 3 * * *', '--tz', 'Europe/Berlin', '--from', '2026-07-01'])).stdout.slice(0, 20), '2026-07-01T01:00:00Z');
  for (const [why, ...args] of [[/--from: there is no 2011-12-30 in Pacific\/Apia/, '--tz', 'Pacific/Apia', '--from', '2011-12-30'], [/--end: "2026-2-1" is not a date like 2026-03-28, /, '--end', '2026-2-1']]) {
    const { code, stderr } = await storychain(['schedule', 'preview', '* * * * *', ...args]).catch((error) => error);
    assert.equal(code, 2);
    assert.match(stderr, why);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
});

test('times are shown in their zone and in UTC, with changes of the clocks, before anything is stored', async () => {
  const { stdout } = await storychain(['schedule', 'preview', '30 2 * * *', '--tz', 'Europe/Berlin', '--from', '2026-03-27T12:00:00Z', '--count', '3']);
  assert.equal(stdout, `Sat 2026-03-28 02:30:00 CET    2026-03-28T01:30:00Z
  -- clocks go forward by 60 min: CEST from here on
Sun 2026-03-29 03:00:00 CEST   2026-03-29T01:00:00Z
Mon 2026-03-30 02:30:00 CEST   2026-03-30T00:30:00Z
`);
  const at = async (...args) => JSON.parse((await storychain(['schedule', 'preview', ...args, '--from', '2026-12-24T00:00:00Z', '--json'])).stdout).map(({ utc }) => utc);
  assert.deepEqual(await at('EVERY_DAY_AT_3AM', '--exclude', '2026-12-25/2026-12-27', '--count', '2'), ['2026-12-24T03:00:00Z', '2026-12-28T03:00:00Z']);
  assert.deepEqual(await at('@every 90s', '--start', '2026-12-24T00:00:07Z', '--count', '2'), ['2026-12-24T00:00:07Z', '2026-12-24T00:01:37Z']);
  assert.deepEqual(await at('@hourly', '--end', '2026-12-24T02:00:00Z'), ['2026-12-24T01:00:00Z', '2026-12-24T02:00:00Z']);
  for (const [why, ...args] of [
    [/minute: "61" at column 1/, '61 * * * *'], [/Europe\/Berlin/, '* * * * *', '--tz', 'Europe/Berln'], [/--dst: "soon" is not known/, '* * * * *', '--dst', 'soon'],
    [/a time like 90s/, '@every never'], [/--from/, '* * * * *', '--from', 'today'], [/exclusions/, '* * * * *', '--exclude', '2026-13-01'],
  ]) {
    const got = await storychain(['schedule', 'preview', ...args]);
    assert.equal(got.code, USAGE, args.join(' '));
    assert.match(got.stderr, why);
  }
});

test('a schedule is stored, shown, run by hand, paused, resumed and removed', async (t) => {
  const queue = closing(t, new Queue('shell', { connection: server.connection }));
  const stored = await scheduleJson('upsert', 'nightly', '0 3 * * *', '{"days":30}', '--tz', 'Europe/Berlin', '--name', 'clean');
  assert.equal(stored.done, 'stored');
  const shown = await queue.getJobScheduler('nightly');
  assert.deepEqual([shown.name, shown.pattern, shown.tz, shown.template.data], ['clean', '0 3 * * *', 'Europe/Berlin', { days: 30 }]);
  assert.equal(new Date(shown.next).toISOString(), stored.next.replace('Z', '.000Z'));

  const { job } = await scheduleJson('run', 'nightly');
  const worker = closing(t, new Worker('shell', async ({ data }) => data.days * 2, { connection: server.connection }));
  await waitFor('the run', async () => (await queue.getCompletedCount()) === 1);
  await worker.close();
  const told = await scheduleJson('show', 'nightly');
  assert.deepEqual(told.runs.map(({ state, result }) => [state, result]), [['completed', 60]]);
  assert.equal(`repeat:nightly:${new Date(told.runs[0].run).getTime()}`, job);
  assert.equal(told.times.length, 5);
  assert.equal(told.times[0].utc, stored.next);
  assert.match((await schedule('show', 'nightly')).stdout, /^nightly: 0 3 \* \* \*, Europe\/Berlin\nnext run   .*\nruns       1 made, 0 missed, 0 skipped\n/);

  assert.deepEqual(await scheduleJson('pause', 'nightly'), { id: 'nightly', done: 'paused' });
  assert.equal(await queue.getDelayedCount(), 0);
  assert.equal((await scheduleJson('list'))[0].paused, true);
  assert.match((await schedule('list')).stdout, /paused/);
  await scheduleJson('resume', 'nightly');
  assert.equal(await queue.getDelayedCount(), 1);
  assert.equal((await schedule('remove', 'nightly')).stdout, 'schedule nightly is removed\n');
  assert.deepEqual(await scheduleJson('list'), []);
  for (const verb of ['show', 'run', 'pause', 'resume', 'remove']) await expectFailure(NOT_FOUND, /nightly/, 'schedule', verb, 'nightly', '--queue', 'shell');
});

test('policies are stored and shown', async () => {
  await scheduleJson('upsert', 'careful', '@every 1h', '--overlap', 'buffer-one', '--catchup', 'all', '--window', '2h', '--jitter', '10m', '--exclude', '2026-12-25', '--limit', '9');
  const [info] = await scheduleJson('list');
  assert.deepEqual([info.guarded, info.every, info.overlap, info.catchup, info.catchupWindow, info.jitter, info.exclude, info.limit], [true, 3600e3, 'buffer-one', 'all', 7200e3, 600e3, '2026-12-25', 9]);
  assert.match((await schedule('show', 'careful')).stdout, /policies   overlap buffer-one, catchup all, clocks vixie, jitter 600000 ms\nexcluded   2026-12-25\n/);
  await expectFailure(USAGE, /--overlap: "never" is not known/, 'schedule', 'upsert', 'x', '* * * * *', '--overlap', 'never', '--queue', 'shell');
  await expectFailure(USAGE, /window/, 'schedule', 'upsert', 'x', '* * * * *', '--window', '1h', '--queue', 'shell');
  await expectFailure(USAGE, /JSON|expected/, 'schedule', 'upsert', 'x', '* * * * *', '{', '--queue', 'shell');
  await scheduleJson('remove', 'careful');
});

test('runs of the past are made up for', async (t) => {
  const queue = closing(t, new Queue('shell', { connection: server.connection }));
  await scheduleJson('upsert', 'hourly', '@hourly');
  const args = ['hourly', '2026-03-01T00:00:00Z', '2026-03-01T23:59:59Z', '--per-minute', '1'];
  assert.deepEqual(await scheduleJson('backfill', ...args), { id: 'hourly', done: 'backfilled', added: 24 });
  assert.deepEqual(await scheduleJson('backfill', ...args), { id: 'hourly', done: 'backfilled', added: 0 });
  assert.equal(await queue.getDelayedCount(), 24); // one of them at once, and the pending one
  await expectFailure(USAGE, /comes after the last/, 'schedule', 'backfill', 'hourly', '2026-03-02T00:00:00Z', '2026-03-01T00:00:00Z', '--queue', 'shell');
  await expectFailure(USAGE, /soon/, 'schedule', 'backfill', 'hourly', 'soon', '2026-03-01T00:00:00Z', '--queue', 'shell');
  await scheduleJson('remove', 'hourly');
});
