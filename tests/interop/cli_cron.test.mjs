// storychain cron: what it prints, and what it says to wrong words.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FAILED, NOT_FOUND, USAGE, expectFailure, expectJson, storychain } from './program.mjs';

describe('cron next', () => {
  const TIMES = ['2026-03-28T02:00:00Z', '2026-03-29T01:00:00Z', '2026-03-30T01:00:00Z', '2026-03-31T01:00:00Z', '2026-04-01T01:00:00Z'];
  const ARGS = ['cron', 'next', '0 3 * * *', '--tz', 'Europe/Berlin', '--from', '2026-03-28T00:00:00Z', '--count', '5'];

  test('prints UTC and local times over a change of the clocks, as lines and as JSON', async () => {
    const { stdout } = await storychain(ARGS);
    assert.deepEqual(stdout.split('\n').map((line) => line.split(' ')[0]), [...TIMES, '']);
    assert.equal(stdout.split('\n')[0], '2026-03-28T02:00:00Z  Sat 2026-03-28 03:00:00 CET');
    assert.equal(stdout.split('\n')[1], '2026-03-29T01:00:00Z  Sun 2026-03-29 03:00:00 CEST');
    const json = await expectJson(ARGS);
    assert.deepEqual(json.map((run) => run.utc), TIMES);
    assert.deepEqual(json[1], { ms: Date.parse(TIMES[1]), utc: TIMES[1], local: '2026-03-29T03:00:00+02:00', abbreviation: 'CEST', mark: null });
  });

  test('prints UTC alone where no zone is named', async () => {
    const { stdout } = await storychain(['cron', 'next', '0 3 * * *', '--from', '2026-03-28T00:00:00Z', '--count', '2']);
    assert.equal(stdout, '2026-03-28T03:00:00Z\n2026-03-29T03:00:00Z\n');
  });

  test('marks runs where clocks change, by the mode', async () => {
    const next = async (expression, from, ...more) => (await storychain(['cron', 'next', expression, '--tz', 'America/New_York', '--from', from, ...more])).stdout;
    const gap = '2026-03-08T00:00:00Z';
    assert.equal(await next('30 2 * * *', gap), '2026-03-08T07:00:00Z  Sun 2026-03-08 03:00:00 EDT  moved: its time does not exist on that day\n');
    assert.match(await next('30 2 * * *', gap, '--dst', 'skip'), /^2026-03-09T06:30:00Z .*EDT\n$/);
    assert.match(await next('30 2 * * *', gap, '--dst', 'bullmq'), /^2026-03-08T07:30:00Z .* moved/);
    assert.match(await next('*/30 1 * * *', '2026-11-01T05:00:00Z', '--count', '2'), /01:30:00 EDT {2}first pass.*\n.*01:00:00 EST {2}second pass/);
  });

  test('leaves out what --except says', async () => {
    const args = ['cron', 'next', '0 9 * * *', '--from', '2026-12-24T12:00:00Z', '--except', '2026-12-25/2026-12-26; * * * * 0'];
    assert.equal((await storychain(args)).stdout, '2026-12-28T09:00:00Z\n');
  });

  test('reads H with a seed, and short forms with a warning', async () => {
    assert.equal((await storychain(['cron', 'next', 'H H * * *', '--seed', 'nightly', '--from', '2026-01-01T00:00:00Z'])).stdout, '2026-01-01T12:33:00Z\n');
    const short = await storychain(['cron', 'next', '5 *', '--short', '--from', '2026-01-01T00:00:00Z']);
    assert.equal(short.stdout, '2026-05-01T00:00:00Z\n');
    assert.match(short.stderr, /"5 \*" at column 1: what is missing is taken as '\*'/);
  });

  const cases = [
    [['0 3 * *'], USAGE, /"0 3 \* \*" at column 1: expected 5, 6 or 7 fields, found 4/],
    [['0 25 * * *'], USAGE, /hour: "25" at column 3/],
    [['0 3 * * 9'], USAGE, /day of week: "9" at column 9/],
    [[''], USAGE, /expected/],
    [['\xff \n'], USAGE, /expression/],
    [['0', '3', '*', '*', '*'], USAGE, /"3" is one word too many \(a word with blanks goes in quotes\)/],
    [['0 3 31 2 *'], USAGE, /never occurs/],
    [['0 3 * * *', '--count', 'many'], USAGE, /--count: "many" is not a whole number from 1 to 1000/],
    [['0 3 * * *', '--count', '-1'], USAGE, /--count/],
    [['0 3 * * *', '--count', '1001'], USAGE, /--count/],
    [['0 3 * * *', '--count', '99999999999999999999'], USAGE, /--count/],
    [['0 3 * * *', '--from', 'yesterday'], USAGE, /--from: "yesterday" is not a date like/],
    [['0 3 * * *', '--from', '2026-02-30T00:00:00Z'], USAGE, /--from/],
    [['0 3 * * *', '--tz', 'Europe/Berln'], USAGE, /--tz: there is no time zone "Europe\/Berln"; did you mean Europe\/Berlin\?/],
    [['0 3 * * *', '--tz', '../../etc/passwd'], USAGE, /--tz/],
    [['0 3 * * *', '--tz', 'UTC+3'], USAGE, /--tz: there is no time zone "UTC\+3": an offset .* or Etc\/GMT-3/],
    [['H 3 * * *'], USAGE, /H needs a seed/],
    [['0 3 * * *', '--dst', 'summer'], USAGE, /--dst: "summer" is not one of vixie, skip, bullmq/],
    [['0 3 * * *', '--except', '2026-02-30'], USAGE, /--except: date: "2026-02-30" at column 1: expected a day/],
    [['0 3 * * *', '--except', '* * 32 * *'], USAGE, /--except: day of month: "32"/],
    [['0 3 * * *', '--except', '2026-01-01;'.repeat(65)], USAGE, /--except: more than 64/],
    [['0 3 * * *', '--except', '* * * * *'], NOT_FOUND, /no such time/],
    [['@every 5m'], USAGE, /an interval is no cron expression/],
  ];
  for (const [args, code, sentence] of cases) test(args.join(' | '), () => expectFailure(['cron', 'next', ...args], code, sentence));
});

describe('cron explain and lint', () => {
  test('explain says it in words', async () => {
    assert.deepEqual(await storychain(['cron', 'explain', '30 9 * * 1-5']), { code: 0, signal: null, stdout: 'At 09:30 on Monday to Friday\n', stderr: '' });
    assert.deepEqual(await expectJson(['cron', 'explain', '@weekly']), { expression: '@weekly', text: 'At 00:00 on Sunday' });
    assert.equal((await storychain(['cron', 'explain', 'H H * * *', '--seed', 'nightly'])).stdout, 'At 12:33 every day\n');
  });

  test('lint names what is perhaps not meant, and says so by its exit code', async () => {
    assert.deepEqual(await storychain(['cron', 'lint', '0 9 * * 1']), { code: 0, signal: null, stdout: 'nothing found\n', stderr: '' });
    const got = await storychain(['cron', 'lint', '30 2 * * *', '--tz', 'America/New_York', '--from', '2026-01-01T00:00:00Z']);
    assert.equal(got.code, FAILED);
    assert.match(got.stdout, /^clocks-skip: .*on 2026-03-08 clocks in America\/New_York go forward from 02:00 to 03:00: 02:30 does not exist: it runs at 03:00\n$/);
    const json = await storychain(['cron', 'lint', '*/7 * 13 * 5', '--json']);
    assert.equal(json.code, FAILED);
    assert.deepEqual(JSON.parse(json.stdout).map((w) => [w.name, w.field, w.column]), [['uneven-step', 'minute', 1], ['both-days', 'day of month', 7]]);
    assert.deepEqual(await expectJson(['cron', 'lint', '0 9 * * 1']), []);
    const foreign = await storychain(['cron', 'lint', '0 9 LW * *', '--dst', 'bullmq']);
    assert.match(foreign.stdout, /^not-bullmq: .*BullMQ's Node workers cannot read this/);
  });

  for (const command of ['explain', 'lint']) test(`${command} refuses what is no expression`, () => expectFailure(['cron', command, '0 25 * * *'], USAGE, /hour: "25" at column 3: expected 0 to 23/));
});
