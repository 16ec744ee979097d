// Writes cases of what cron-parser answers: times around changes of the clocks, H for many seeds, any expression. Our engine must give
// the same (dst "bullmq", where the answer is after the time asked from; else "-"), and our linter warn of what is "refused".
//   node bench/cron_cases.mjs >tests/unit/base/cron_parser.cases
//   ALL=1 node bench/cron_cases.mjs      every zone and expression, many times: about a million rows
import { CronExpressionParser } from 'cron-parser';

const ALL = process.env.ALL === '1';
// Times that are past: what governments plan may still change.
const FIRST = Date.UTC(2013, 0, 1), LAST = Date.UTC(2025, 0, 1), HOUR = 3600e3;
const ZONES = ALL ? Intl.supportedValuesOf('timeZone') : [
  'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Chatham', 'Antarctica/Troll', 'Africa/Cairo', 'America/Havana',
  'Asia/Beirut', 'America/Sao_Paulo', 'Africa/Casablanca', 'Europe/Dublin', 'America/Nuuk', 'America/St_Johns', 'Asia/Tehran', 'Asia/Gaza'];
const EXPRESSIONS = [
  '30 2 * * *', '*/15 2 * * *', '0 */2 * * *', '30 1 * * *', '*/30 1 * * *', '30 * * * *', '30 1,2 * * *', '0 0 * * *', '*/15 * * * *',
  '30 23 * * *', '15,45 0-3 * * 0,6', '0 3 L * *', '10 30 2,3 * * *', '*/20 59 1 * * *', '0 0 1 * *', '45 2 * 3,10,11 *', '5 0,12 * * 1-5',
  '0 2 29 2 *', '30 2 * * 0L', '59 59 1 * * *', '0 1-3 * * *', '* * * * *', '17 * 8-14 * *', '0 3 13 * 5', '30 0-22/2 * * *'];

let state = 20260101;
const random = (n) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n;

const formats = new Map();
function offset(zone, at) {
  if (!formats.has(zone)) formats.set(zone, new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }));
  return formats.get(zone).formatToParts(at).find((p) => p.type === 'timeZoneName').value;
}

/** The instants from which the clocks of a zone show another offset. */
function changes(zone) {
  const found = [];
  for (let low = FIRST, step = 7 * 24 * HOUR; low < LAST; low += step) {
    let from = low, to = low + step;
    if (offset(zone, from) === offset(zone, to)) continue;
    while (to - from > 1000) {
      const middle = Math.floor((from + to) / 2000) * 1000;
      if (offset(zone, middle) === offset(zone, from)) from = middle; else to = middle;
    }
    found.push(to);
  }
  return found;
}

function answer(expression, options) {
  try {
    return CronExpressionParser.parse(expression, options).next().getTime();
  } catch {
    return NaN;
  }
}

const date = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

function row(expression, zone, from) {
  const next = answer(expression, { tz: zone, currentDate: new Date(from) });
  if (next >= LAST) return;
  console.log(`${expression} | ${zone} | ${date(from)} | ${next > from ? date(next) : '-'}`);
}

console.log('# Made by bench/cron_cases.mjs from cron-parser 5.10.5: expression | zone | from | next, or "-"');
for (const zone of ZONES)
  for (const change of changes(zone)) {
    const times = [-27 * HOUR, -2 * HOUR, -HOUR / 2, -1000, 0, 1, HOUR / 2, HOUR, 3 * HOUR, random(48 * 3600) * 1000 - 24 * HOUR, random(48 * HOUR) - 24 * HOUR];
    if (ALL) for (const expression of EXPRESSIONS) for (const time of times) row(expression, zone, change + time);
    else for (let i = 0; i < 5; i++) row(EXPRESSIONS[random(EXPRESSIONS.length)], zone, change + times[random(times.length)]);
  }

console.log('# H: expression | =seed | from | next');
const HASHED = ['H H * * *', 'H/15 * * * *', 'H H(0-7) H(1-28) * *', 'H H H H H H', 'H(10-20)/3 3 * * *', 'H/7 H/5 * * H', 'H,H(30-59) H * * *',
  'H/99 H * * *', 'H(0-99) H H/10 H/2 *', '0 0 H(5-6) * *', '* * * * H', 'H/2 * * * *', '0 H/7 H/3 * * *', '0 0 * H *'];
const SEEDS = ['nightly', 'a', 'repeat:7', 'Zürich', '😀 smile', 'x'.repeat(300), '0', 'story:42:digest', 'ключ', 'A b'];
for (const seed of SEEDS)
  for (const expression of HASHED) {
    const from = Date.UTC(2026, 0, 1);
    console.log(`${expression} | =${seed} | ${date(from)} | ${date(answer(expression, { tz: 'UTC', currentDate: new Date(from), hashSeed: seed }))}`);
  }

// What people may write, and what they may not: whatever cron-parser reads is to be read the same way.
const FIELDS = [[0, 59], [0, 59], [0, 23], [1, 31], [1, 12], [0, 7]];
const NAMES = { 4: 'jan Feb MAR apr may Jun jul aug SEP oct nov dec', 5: 'sun MON tue Wed thu fri SAT' };
const MACROS = ['@yearly', '@midnight', '@Daily', ' @hourly', '@annually', '@monthly', '@weekly', '@daily', '@hourly', '@minutely', '@secondly', '@weekdays', '@weekends'];
const pick = (list) => list[random(list.length)];

function value(field) {
  const [min, max] = FIELDS[field];
  if (NAMES[field] && random(4) === 0) return pick(NAMES[field].split(' '));
  return `${random(20) === 0 ? '0' : ''}${min + random(max - min + (random(40) === 0 ? 9 : 1))}`;
}

const ITEMS = [
  () => '*', () => '?', () => `*/${1 + random(35)}`, (f) => `${value(f)}-${value(f)}`, (f) => `${value(f)}-${value(f)}/${1 + random(9)}`, (f) => `${value(f)}/${1 + random(30)}`,
  () => 'H', () => `H/${1 + random(70)}`, (f) => `H(${value(f)}-${value(f)})`, (f) => `H(${value(f)}-${value(f)})/${1 + random(9)}`, value, value,
  (f) => (f === 3 ? 'L' : f === 5 ? pick([`${value(f)}L`, `${value(f)}#${1 + random(5)}`]) : value(f)), () => pick(['', '**', '1--2', 'h', 'H/9', 'h/5', 'l', 'x', '1#', 'L-1', 'L', 'LW', '*-5', '?/2', '*/1', '5W', '1-5L', '2l', 'FRI-SUN', 'tue-7', '0-SUN', '1#L', '2-3#2', 'SUN#1', 'thu', '+1']),
];

function expression() {
  if (random(100) === 0) return pick(MACROS);
  const count = random(30) === 0 ? 1 + random(4) : 5 + random(2);
  const fields = FIELDS.map((_, f) => (random(3) ? pick(['*', value(f)]) : Array.from({ length: random(5) ? 1 : 1 + random(4) }, () => pick(ITEMS)(f)).join(',')));
  return [...fields.slice(6 - count), ...(random(60) ? [] : ['*'])].join(pick([' ', ' ', '  ', '\t']));
}

/** Refused when it is read, not given up after 10,000 steps. */
function refused(text) {
  try {
    CronExpressionParser.parse(text, { tz: 'UTC', hashSeed: 'nightly' });
    return false;
  } catch {
    return true;
  }
}

console.log('# Any expression, read or "refused": expression | =seed | from | next');
for (let rows = 0; rows < +(process.env.ROWS ?? (ALL ? 200000 : 600));) {
  const text = expression(), from = Date.UTC(2026, random(12), 1 + random(28), random(24), random(60));
  const next = answer(text, { tz: 'UTC', currentDate: new Date(from), hashSeed: 'nightly' });
  if (Number.isNaN(next) && (rows % 3 || !refused(text))) continue; // every third row is of one that is refused
  console.log(`${text} | =nightly | ${date(from)} | ${Number.isNaN(next) ? 'refused' : date(next)}`);
  rows++;
}
