// croner's or cron-parser's side of the cron benchmark: node cron_peer.mjs croner|cron-parser next|parse EXPRESSION ZONE SECONDS
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';

const [library, kind, expression, zone, seconds] = process.argv.slice(2);
const FIRST = new Date('2026-01-01T00:00:00Z'), LAST = Date.UTC(2060, 0, 1), CALLS = 20;

const parse = {
  croner: () => new Cron(expression, { timezone: zone, paused: true }),
  'cron-parser': () => CronExpressionParser.parse(expression, { currentDate: FIRST, tz: zone }),
}[library];
const next = { croner: (cron, at) => cron.nextRun(at), 'cron-parser': (cron) => cron.next().toDate() }[library];

function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

let cron = parse(), at = FIRST;

/** One run after the other, as an iterator goes: each library's fastest way. */
function runNext() {
  try {
    at = next(cron, at);
  } catch {
    at = null;
  }
  if (at === null || at.getTime() > LAST) [cron, at] = [parse(), FIRST];
}

function measure(run, secs) {
  const began = cpuMs();
  let calls = 0, took;
  do {
    for (let i = 0; i < CALLS; i++) run();
    calls += CALLS;
    took = cpuMs() - began;
  } while (took < secs * 1000);
  return (calls * 1000) / took;
}

const run = kind === 'next' ? runNext : () => next(parse(), FIRST);
measure(run, +seconds); // compiled by then
console.log(JSON.stringify({ per_s: Math.round(measure(run, +seconds)) }));
