// The queue beside BullMQ, on one Redis, in one run: `make bench-queue`.
//
//   ROUNDS=5 SCALE=1 node bench/queue.mjs [adds] [process] [latency] [delay] [idle]
//
// Server on core 0, clients on core 1; no persistence. In each round both sides run once, one after the other; figures are
// medians over the rounds. CPU comes from /proc and INFO, so start-up is left out.
import Redis from 'ioredis'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free_port.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const ROUNDS = +(process.env.ROUNDS || 5), SCALE = +(process.env.SCALE || 1)
const parts = process.argv.length > 2 ? process.argv.slice(2) : ['adds', 'process', 'latency', 'delay', 'idle']
const OURS = [process.env.BENCH_PEER || join(HERE, '../build/release/bench-peer')]
const sides = { ours: OURS, peer: ['node', join(HERE, 'bullmq_peer.mjs')] }
const TICKS = +execFileSync('getconf', ['CLK_TCK'])
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
const jobs = (n) => Math.max(1000, Math.round((n * SCALE) / 1000) * 1000)

const figures = {} // name -> side -> a number a round
const note = (name, side, value) => ((figures[name] ??= { ours: [], peer: [] })[side].push(value))
const sorted = (xs) => [...xs].sort((a, b) => a - b)
const percentile = (xs, p) => sorted(xs)[Math.min(xs.length - 1, Math.ceil((p / 100) * xs.length) - 1)]
const median = (xs) => percentile(xs, 50)

function start(core, argv, env = {}) {
  const child = spawn('taskset', ['-c', String(core), ...argv], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  child.text = ''
  child.stdout.on('data', (d) => (child.text += d))
  child.ended = new Promise((r) => child.once('exit', r))
  return child
}

async function startServer(folder) {
  const PORT = (process.env.BENCH_PORT = await freePort()) // the peers look there
  const child = start(0, ['redis-server', '--port', String(PORT), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder])
  const redis = new Redis(PORT, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  await redis.ping()
  return { child, redis }
}

const number = (text, key) => +text.match(new RegExp(`^${key}:([\\d.]+)`, 'm'))[1]
async function serverCpu(redis) {
  const text = await redis.info('cpu')
  return number(text, 'used_cpu_sys') + number(text, 'used_cpu_user')
}
function processCpu(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8'), f = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (+f[11] + +f[12]) / TICKS
}
const residentMb = (pid) => +readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1] / 1024
const waiting = (redis) => redis.llen('bull:q:wait')

async function runOnce(argv, env) {
  const child = start(1, argv, env), code = await child.ended
  if (code) throw new Error(`${argv.join(' ')} ended with ${code}`)
  return child.text.trim() ? JSON.parse(child.text.trim().split('\n').pop()) : null
}

async function adds(side, argv, redis) {
  for (const [mode, n] of [['one', 5000], ['conc', 50000], ['bulk', 100000]]) {
    await redis.flushall('SYNC')
    const before = await serverCpu(redis), run = await runOnce([...argv, 'add', mode, String(jobs(n))])
    note(`add ${mode}, jobs/s`, side, run.n / run.secs)
    note(`add ${mode}, Redis µs/job`, side, ((await serverCpu(redis)) - before) / run.n * 1e6)
    note(`add ${mode}, client µs/job`, side, run.cpu / run.n * 1e6)
  }
}

async function processAt(side, argv, redis, concurrency) {
  await redis.flushall('SYNC')
  await runOnce([...OURS, 'add', 'bulk', String(jobs(60000))])
  const all = await waiting(redis), worker = start(1, [...argv, 'worker', String(concurrency)])
  let left = all, began = 0, cpu = 0, server = 0, first = 0, rss = 0
  for (const limit = Date.now() + 120000; left > 0; await sleep(5)) {
    left = await waiting(redis)
    if (!began && left < all) [began, cpu, server, first] = [performance.now(), processCpu(worker.pid), await serverCpu(redis), left]
    if (worker.exitCode !== null || Date.now() > limit) throw new Error(`${side}: the worker stopped with ${left} jobs left`)
    if (began) rss = Math.max(rss, residentMb(worker.pid))
  }
  const secs = (performance.now() - began) / 1000
  note(`process c=${concurrency}, jobs/s`, side, first / secs)
  note(`process c=${concurrency}, Redis µs/job`, side, ((await serverCpu(redis)) - server) / first * 1e6)
  note(`process c=${concurrency}, worker µs/job`, side, (processCpu(worker.pid) - cpu) / first * 1e6)
  note(`process c=${concurrency}, worker MB`, side, rss)
  worker.kill('SIGTERM')
  await worker.ended
}

// Milliseconds from a job's stamp to its processor, of `n` jobs added by `args`, on an idle worker.
async function lags(argv, redis, args, n) {
  await redis.flushall('SYNC')
  const folder = mkdtempSync(join(tmpdir(), 'bench-')), LAT_FILE = join(folder, 'lags')
  const worker = start(1, [...argv, 'worker', '1'], { LAT_FILE })
  await sleep(1500)
  await runOnce([...argv, ...args])
  const read = () => (existsSync(LAT_FILE) ? readFileSync(LAT_FILE, 'utf8').trim().split('\n') : [])
  for (const limit = Date.now() + 30000; read().length < n && Date.now() < limit;) await sleep(100)
  const ms = read().map((x) => +x / 1e6)
  worker.kill('SIGTERM')
  await worker.ended
  rmSync(folder, { recursive: true })
  if (ms.length < n) throw new Error(`only ${ms.length} of ${n} jobs ran`)
  return ms
}

async function latency(side, argv, redis) {
  const ms = await lags(argv, redis, ['produce', '500', '100'], 500)
  note('pick-up p50, ms', side, percentile(ms, 50))
  note('pick-up p99, ms', side, percentile(ms, 99))
}

async function delay(side, argv, redis) {
  const ms = await lags(argv, redis, ['delay', '500', '5000'], 500)
  note('delayed job late p50, ms', side, percentile(ms, 50))
  note('delayed job late p99, ms', side, percentile(ms, 99))
}

// Connections and memory of a process that waits for jobs of 1,000 queues.
async function idle(side, argv, redis) {
  await redis.flushall('SYNC')
  const worker = start(1, [...argv, 'idle', '1000'])
  const count = async () => (await redis.client('LIST')).trim().split('\n').length - 1
  let seen = -1, now = 0
  for (const limit = Date.now() + 60000; Date.now() < limit && (now !== seen || now === 0); await sleep(2000)) [seen, now] = [now, await count()]
  note('1,000 idle queues, connections', side, now)
  note('1,000 idle queues, MB', side, residentMb(worker.pid))
  worker.kill('SIGTERM')
  await worker.ended
}

// The rows with a bar. `times`: ours is that many times the peer's; `at most`: in the row's own unit; `share`: of the peer's.
// CPU was to be 24 µs of Redis where BullMQ takes 60, and 3 µs of the worker where it takes 40: shares, whatever the machine's speed.
const bars = [
  ['bulk add, jobs/s', 'add bulk, jobs/s', { times: 4.5 }],
  ['adds that wait for their own, jobs/s', 'add conc, jobs/s', { times: 2.5 }],
  ['process no-op jobs, one worker, best concurrency, jobs/s', 'best', { times: 2.5 }],
  ['Redis CPU per job, add + process, µs', 'life', { share: 0.4 }],
  ['worker CPU per job, µs', 'process c=50, worker µs/job', { share: 0.075 }],
  ['worker RSS at concurrency 50, MB', 'process c=50, worker MB', { atMost: 8 }],
  ['pick-up latency p50, ms', 'pick-up p50, ms', { share: 0.4 }],
  ['pick-up latency p99, ms', 'pick-up p99, ms', { share: 0.4 }],
  ['delayed job lateness p99, ms', 'delayed job late p99, ms', { atMost: 5 }],
  ['connections of 1,000 idle queues in one process', '1,000 idle queues, connections', { atMost: 3 }],
]

function derive(side) {
  const rates = Object.entries(figures).filter(([name]) => /^process c=\d+, jobs/.test(name)).map(([, f]) => median(f[side]))
  if (rates.length) note('best', side, Math.max(...rates))
  if (figures['add bulk, Redis µs/job'] && figures['process c=50, Redis µs/job'])
    note('life', side, median(figures['add bulk, Redis µs/job'][side]) + median(figures['process c=50, Redis µs/job'][side]))
}

function show() {
  const round = (x) => (x >= 1000 ? Math.round(x).toLocaleString('en') : x.toPrecision(3))
  console.log(`\n${'figure'.padEnd(34)} ${'StoryChain'.padStart(12)} ${'BullMQ'.padStart(12)} ${'ratio'.padStart(7)}`)
  for (const [name, f] of Object.entries(figures)) {
    const ours = median(f.ours), peer = median(f.peer)
    console.log(`${name.padEnd(34)} ${round(ours).padStart(12)} ${round(peer).padStart(12)} ${(ours / peer).toFixed(2).padStart(7)}`)
  }
  Object.keys(sides).forEach(derive)
  console.log()
  for (const [row, name, bar] of bars) {
    if (!figures[name]) continue
    const ours = median(figures[name].ours), peer = median(figures[name].peer), ratio = ours / peer
    const goal = bar.times ? `>= ${bar.times} x` : bar.share ? `<= ${bar.share} x` : `<= ${bar.atMost}`
    const ok = bar.times ? ratio >= bar.times : bar.share ? ratio <= bar.share : ours <= bar.atMost
    console.log(JSON.stringify({ row, ours: +ours.toPrecision(4), peer: +peer.toPrecision(4), ratio: +ratio.toPrecision(3), goal, ok }))
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-')), { child, redis } = await startServer(folder)
try {
  for (let round = 1; round <= ROUNDS; round++)
    for (const [side, argv] of Object.entries(sides)) {
      process.stderr.write(`round ${round} of ${ROUNDS}: ${side === 'ours' ? 'StoryChain' : 'BullMQ'}\n`)
      if (parts.includes('adds')) await adds(side, argv, redis)
      if (parts.includes('process')) for (const c of [10, 50, 100]) await processAt(side, argv, redis, c)
      if (parts.includes('latency')) await latency(side, argv, redis)
      if (parts.includes('delay')) await delay(side, argv, redis)
      if (parts.includes('idle')) await idle(side, argv, redis)
    }
  show()
} finally {
  redis.disconnect()
  child.kill('SIGTERM')
  await child.ended
  rmSync(folder, { recursive: true, force: true })
}
