// The cron engine beside croner and cron-parser, in one run: `make bench-cron`.
//
//   ROUNDS=5 SECS=0.3 node bench/cron.mjs
//
// In each round every side does every case once; figures are medians over the rounds, and rates are by CPU time, so
// that other work on the machine counts little.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROUNDS = +(process.env.ROUNDS || 5), SECS = process.env.SECS || '0.3';
const OURS = process.env.BENCH_PEER || join(HERE, '../build/release/bench-cron-peer');
const node = (library) => ['node', join(HERE, 'cron_peer.mjs'), library];
const sides = { StoryChain: [OURS], croner: node('croner'), 'cron-parser': node('cron-parser') };

const DENSE = [['* * * * *', 'Europe/Berlin'], ['*/5 * * * *', 'America/New_York'], ['* * * * * *', 'UTC'], ['*/15 9-17 * * 1-5', 'Australia/Lord_Howe'],
  ['0 3 * * *', 'America/Sao_Paulo'], ['30 2 * * *', 'Pacific/Chatham'], ['0 0 L * *', 'Asia/Tokyo']];
const SPARSE = [['0 0 29 2 *', 'Europe/Berlin'], ['0 0 29 2 *', 'UTC'], ['0 0 * 2 1#5', 'Africa/Casablanca']];
const cases = [
  ...DENSE.map((c) => ['next', ...c, 2e6]),
  ...SPARSE.map((c) => ['next', ...c, 0.5e6]),
  ...[DENSE[1], DENSE[4], SPARSE[0]].map((c) => ['parse', ...c, 1e6]),
];

const figures = new Map();
const note = (name, value) => figures.set(name, [...(figures.get(name) ?? []), value]);
const median = (name) => figures.get(name).sort((a, b) => a - b)[Math.floor(figures.get(name).length / 2)];
const ask = (argv) => JSON.parse(execFileSync(argv[0], argv.slice(1), { encoding: 'utf8' }));

for (let round = 1; round <= ROUNDS; round++) {
  process.stderr.write(`round ${round} of ${ROUNDS}\n`);
  for (const [kind, expression, zone] of cases)
    for (const [side, argv] of Object.entries(sides)) note(`${side} ${kind} ${expression} ${zone}`, ask([...argv, kind, expression, zone, SECS]).per_s);
  note('worst', ask([OURS, 'worst']).us);
}

const k = (x) => (x >= 1e5 ? `${Math.round(x / 1000).toLocaleString('en')}k` : x >= 1000 ? `${(x / 1000).toPrecision(3)}k` : x.toPrecision(3));
const rows = [];
console.log(`${'per second'.padEnd(46)} ${Object.keys(sides).map((s) => s.padStart(12)).join(' ')}`);
for (const [kind, expression, zone, goal] of cases) {
  const row = `${kind === 'parse' ? 'parse + next' : 'next'} ${expression} ${zone}`;
  const [ours, ...peers] = Object.keys(sides).map((side) => median(`${side} ${kind} ${expression} ${zone}`));
  const peer = Math.max(...peers);
  console.log(`${row.padEnd(46)} ${[ours, ...peers].map((x) => k(x).padStart(12)).join(' ')}`);
  rows.push({ row: `${row}, per s`, ours, peer, ratio: +(ours / peer).toPrecision(3), goal: `>= ${goal}`, ok: ours >= goal });
}
rows.push({ row: 'slowest call, µs', ours: median('worst'), goal: '<= 20', ok: median('worst') <= 20 });
console.log();
for (const row of rows) console.log(JSON.stringify(row));
