// Schedules beside BullMQ, on one Redis, in one run: `make bench-schedule`.
//
//   ROUNDS=3 BURST=10000 STORING=10000 node bench/schedule.mjs [late] [burst]
//
// Server on core 0, clients on core 1; no persistence. The schedules are stored by our program for both sides. `plain` ones have BullMQ's
// layout; `guarded` ones have a policy, and only our side has them.
import Redis from 'ioredis'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free_port.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const ROUNDS = +(process.env.ROUNDS || 3), BURST = +(process.env.BURST || 10000)
const STORING = +(process.env.STORING || 10000) // ms that storing may take
const parts = process.argv.length > 2 ? process.argv.slice(2) : ['late', 'burst']
const OURS = process.env.BENCH_SCHEDULE_PEER || join(HERE, '../build/release/bench-schedule-peer')
const sides = [['StoryChain', 'plain', [OURS]], ['StoryChain', 'guarded', [OURS]], ['BullMQ', 'plain', ['node', join(HERE, 'schedule_peer.mjs')]]]
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
const figures = {} // name -> "side kind" -> a number a round
const note = (name, side, kind, value) => (((figures[name] ??= {})[`${side} ${kind}`] ??= []).push(value))
const percentile = (xs, p) => [...xs].sort((a, b) => a - b)[Math.min(xs.length - 1, Math.ceil((p / 100) * xs.length) - 1)]

function start(core, argv, env = {}) {
  const child = spawn('taskset', ['-c', String(core), ...argv], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] })
  child.ended = new Promise((r) => child.once('exit', r))
  process.once('exit', () => child.kill('SIGKILL'))
  return child
}

async function startServer(folder) {
  const port = (process.env.BENCH_PORT = await freePort()) // the peers look there
  const child = start(0, ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder])
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 50, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  await redis.ping()
  return { child, redis }
}

async function store(count, kind, every, first, apart) {
  if (await start(1, [OURS, 'store', String(count), kind, String(every), String(first), String(apart)]).ended) throw new Error('storing failed')
}

async function stop(worker) {
  worker.kill('SIGTERM')
  await worker.ended
}

// 20 schedules, each once a second, 50 ms apart: how late do their runs start on an idle worker?
async function late(side, kind, argv, redis) {
  await redis.flushall('SYNC')
  const folder = mkdtempSync(join(tmpdir(), 'bench-')), LAT_FILE = join(folder, 'lags')
  await store(20, kind, 1000, Math.floor(Date.now() / 1000) * 1000 + 4000, 50)
  const worker = start(1, [...argv, 'work', '4'], { LAT_FILE })
  const read = () => (existsSync(LAT_FILE) ? readFileSync(LAT_FILE, 'utf8').trim().split('\n') : [])
  for (const limit = Date.now() + 40000; read().length < 420 && Date.now() < limit;) await sleep(200)
  await stop(worker)
  const ms = read().slice(20).map((x) => +x / 1000)
  rmSync(folder, { recursive: true })
  if (ms.length < 400) throw new Error(`${side} ${kind}: only ${ms.length} runs`)
  for (const p of [50, 99]) note(`late p${p}, ms`, side, kind, percentile(ms, p))
}

// Many schedules due in one millisecond: until all their jobs can be taken, and until all their next runs are known.
async function burst(side, kind, argv, redis) {
  await redis.flushall('SYNC')
  const due = Math.floor(Date.now() / 1000) * 1000 + 3000 + STORING, hour = 3600000
  await store(BURST, kind, hour, due, 0)
  const worker = start(1, [...argv, 'work', '50'])
  if (Date.now() > due - 1000) throw new Error('storing took too long')
  const ready = async () => {
    const [wait, active, completed] = await Promise.all([redis.llen('bull:q:wait'), redis.llen('bull:q:active'), redis.zcard('bull:q:completed')])
    return wait + active + completed
  }
  const until = async (what, done) => {
    for (const limit = due + 120000; !(await done()); await sleep(5)) if (Date.now() > limit) throw new Error(`${side} ${kind}: ${what} never came`)
    return Date.now() - due
  }
  await sleep(due - Date.now() - 5)
  note(`${BURST} due at once: all ready, ms`, side, kind, await until('the last job', async () => (await ready()) >= BURST))
  note(`${BURST} due at once: next runs known, ms`, side, kind, await until('the last next run', async () => (await redis.zcount('bull:q:repeat', due + 1, '+inf')) >= BURST))
  note(`${BURST} due at once: all done, ms`, side, kind, await until('the last end', async () => (await redis.zcard('bull:q:completed')) >= BURST))
  await stop(worker)
}

const bars = [
  ['late p50, ms', 2], ['late p99, ms', 10], [`${BURST} due at once: all ready, ms`, 250],
]

function show() {
  const round = (x) => (x === undefined ? '-' : x >= 1000 ? Math.round(x).toLocaleString('en') : x.toPrecision(3))
  const median = (name, side) => figures[name][side] && percentile(figures[name][side], 50)
  const columns = ['StoryChain plain', 'StoryChain guarded', 'BullMQ plain']
  console.log(`\n${'figure'.padEnd(42)} ${columns.map((c) => c.padStart(19)).join(' ')}`)
  for (const name of Object.keys(figures)) console.log(`${name.padEnd(42)} ${columns.map((c) => round(median(name, c)).padStart(19)).join(' ')}`)
  console.log()
  for (const [name, goal] of bars) {
    if (!figures[name]) continue
    for (const kind of ['plain', 'guarded']) {
      const ours = median(name, `StoryChain ${kind}`), peer = median(name, 'BullMQ plain')
      console.log(JSON.stringify({ row: `${name} (${kind})`, ours: +ours.toPrecision(4), peer: +peer.toPrecision(4), ratio: +(ours / peer).toPrecision(3), goal: `<= ${goal}`, ok: ours <= goal }))
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), 'bench-')), { child, redis } = await startServer(folder)
process.setMaxListeners(0)
let failed
try {
  for (let round = 1; round <= ROUNDS; round++)
    for (const [side, kind, argv] of sides) {
      process.stderr.write(`round ${round} of ${ROUNDS}: ${side}, ${kind}\n`)
      if (parts.includes('late')) await late(side, kind, argv, redis)
      if (parts.includes('burst')) await burst(side, kind, argv, redis)
    }
  show()
} catch (error) {
  console.error(failed = error)
} finally {
  redis.disconnect()
  child.kill('SIGTERM')
  await child.ended
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)
