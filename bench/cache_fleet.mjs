// The cache over Redis beside bentocache and redis-benchmark, on one server, in one run: `make bench-cache`.
//
//   ROUNDS=3 node bench/cache_fleet.mjs
//   PART=outages node bench/cache_fleet.mjs            # stampedes, failures, outages, reads, misses, tags
import { execFileSync, execSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free_port.mjs'

const HERE = dirname(fileURLToPath(import.meta.url)), ROUNDS = +(process.env.ROUNDS || 3)
const OURS = process.env.BENCH_FLEET || join(HERE, '../build/release/bench-fleet'), LIFE = join(dirname(OURS), 'bench-life')
const port = await freePort()
const folder = mkdtempSync(join(tmpdir(), 'bench-fleet-'))
const pidFile = join(folder, 'pid'), settings = ['--port', port, '--bind', '127.0.0.1', '--save', "''", '--appendonly', 'no', '--dir', folder, '--pidfile', pidFile, '--daemonize', 'yes']
const START = `redis-server ${settings.join(' ')} >/dev/null`, PID = `$(cat ${pidFile})`
process.env.BENCH_URL = `redis://127.0.0.1:${port}`

const run = (program, args) => execFileSync(program, args.map(String), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
const flush = () => run('redis-cli', ['-p', port, 'flushall'])
const ours = (...args) => (flush(), JSON.parse(run(OURS, args)))
const peer = (...args) => (flush(), JSON.parse(run('node', [join(HERE, 'cache_fleet_peer.mjs'), ...args])))
const benchmark = (callers, pipeline) =>
  +run('redis-benchmark', ['-p', port, '-t', 'get', '-d', 100, '-c', callers, '-P', pipeline, '-n', 20000 * Math.min(callers * pipeline, 20), '--csv']).trim().split('\n').pop().split(',')[1].replaceAll('"', '')
const middle = (xs) => [...xs].sort((a, b) => a - b)[xs.length >> 1]
const rows = []
const row = (name, mine, theirs, goal, ok) => rows.push({ row: name, ours: mine, peer: theirs, ratio: theirs ? +(mine / theirs).toFixed(3) : undefined, goal, ok })

function stampedes() {
  const one = ours('stampede', 8, 1, 20 * ROUNDS, 50), many = ours('stampede', 8, 100, 5 * ROUNDS, 200), bento = peer('stampede', 8, 100, 200)
  const kernel = ours('wakes', 8, 100, 5 * ROUNDS, 200)
  row('8 processes, 100 callers each, a cold key: loads', many.loads / many.rounds, bento.loads, '1', many.loads === many.rounds)
  row('8 processes, 1 caller each: from the load to the last percent of returns, ms', one.p99_us / 1000, undefined, '< 2', one.p99_us < 2000)
  row('8 processes, 100 callers each: the same, beside waking as many threads without a cache', many.p99_us / 1000, kernel.p99_us / 1000)
}

function failures() {
  const mine = ours('failing', 100, 20), bento = peer('failing', 100, 20)
  row('100 callers, a load of 20 ms that fails: loads', mine.loads, bento.loads, '1', mine.loads === 1)
  row('the same, ms until all have the error', 20 + mine.last_us / 1000, +bento.wall_ms.toFixed(1), '<= 30', mine.last_us <= 10000)
}

// A fault for 5 s: 16 callers, every second call misses, a load takes 1 ms.
function outage(name, begin, end, url = process.env.BENCH_URL) {
  const before = process.env.BENCH_URL
  process.env.BENCH_URL = url
  const mine = ours('outage', 16, 5, begin, end), bento = peer('outage', 16, 5, begin, end)
  process.env.BENCH_URL = before
  row(`${name}, 16 callers, a load takes 1 ms: p99, ms`, mine.p99_ms, bento.p99_ms, '<= 251', mine.p99_ms <= 251)
  row('the same: the slowest, ms', mine.max_ms, bento.max_ms)
  row('the same: calls that were answered', mine.calls, bento.calls)
}

async function outages() {
  const cli = (...args) => `redis-cli -p ${port} ${args.join(' ')} >/dev/null`, proxyPort = await freePort()
  const proxy = spawn('node', [join(HERE, 'delay_proxy.mjs'), proxyPort, port, 200], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(proxy.stdout, 'data')
  outage('the server stops for 5 s', `kill -STOP ${PID}`, `kill -CONT ${PID}`)
  outage('its answers take 200 ms', `kill -USR1 ${proxy.pid}`, `kill -USR2 ${proxy.pid}`, `redis://127.0.0.1:${proxyPort}`)
  outage('it takes no writes', cli('replicaof', '127.0.0.1', 1), cli('replicaof', 'no', 'one'))
  outage('it is killed', `kill -KILL ${PID}`, START)
  proxy.kill()
}

function reads() {
  for (const callers of [1, 8, 64]) {
    const mine = [], bento = [], ioredis = [], plain = [], pipelined = []
    for (let i = 0; i < ROUNDS; i++) {
      mine.push(ours('gets', callers, 2).per_s)
      bento.push(peer('gets', callers, 2).per_s)
      ioredis.push(peer('plain', callers, 2).per_s)
      plain.push(benchmark(callers, 1))
      pipelined.push(benchmark(1, 16))
    }
    row(`values from Redis, ${callers} callers, a second, beside bentocache`, middle(mine), middle(bento))
    row('the same beside ioredis', middle(mine), middle(ioredis))
    row(`the same beside redis-benchmark -c ${callers} -P 1`, middle(mine), middle(plain))
    row('the same beside redis-benchmark -c 1 -P 16', middle(mine), middle(pipelined), callers === 64 ? '>= 0.7' : undefined, callers === 64 ? middle(mine) >= 0.7 * middle(pipelined) : undefined)
  }
  const waiting = [], plain = [], pipelined = []
  for (let i = 0; i < ROUNDS; i++) {
    waiting.push(ours('async', 64, 2).per_s)
    plain.push(peer('plain', 64, 2).per_s)
    pipelined.push(benchmark(1, 16))
  }
  row("64 calls that don't wait, a second, beside ioredis", middle(waiting), middle(plain))
  row('the same beside redis-benchmark -c 1 -P 16', middle(waiting), middle(pipelined))
  for (const threads of [1, 2]) row(`values held, by the public call, ns a thread, ${threads} threads`, Math.min(...Array.from({ length: ROUNDS }, () => ours('hits', threads, 1).ns)))
}

function tags() {
  const life = (...args) => (flush(), run(LIFE, args).trim().split('\n').map((line) => JSON.parse(line)))
  for (const members of [1000, 1000000]) {
    const [tag] = life('tag', members)
    row(`a tag of ${members} values is deleted, us, beside one key`, tag.tag_us, tag.key_us, '< 1000', tag.tag_us < 1000)
  }
  for (const callers of [1, 64])
    for (const hit of life('hits', callers, 100)) row(`values from Redis, ${callers} callers, tags: ${hit.tags}, in how many times the time`, hit.times)
  const [hot] = life('hot', 4, 1000, 200, 1000, 10)
  row('4 processes, 1,000 requests a second for a value of 1 s: loads in a TTL', hot.loads / hot.ttls, undefined, '1.0 to 1.1', hot.loads <= 1.1 * hot.ttls)
  row('the same: requests that waited for a load', hot.not_from_cache, undefined, '0', hot.not_from_cache === 0)
}

function misses() {
  for (const callers of [1, 8, 64]) {
    const mine = [], bento = []
    for (let i = 0; i < ROUNDS; i++) {
      mine.push(ours('misses', callers, 2).per_s)
      bento.push(peer('misses', callers, 2).per_s)
    }
    row(`get_or_set of new keys, ${callers} callers, a second`, middle(mine), middle(bento))
  }
}

execSync(START)
try {
  for (let i = 0; i < 100; i++) {
    try { if (run('redis-cli', ['-p', port, 'ping']).includes('PONG')) break } catch {}
    await new Promise((r) => setTimeout(r, 50))
  }
  for (const part of process.env.PART ? [process.env.PART] : ['stampedes', 'failures', 'outages', 'reads', 'misses', 'tags'])
    await { stampedes, failures, outages, reads, misses, tags }[part]()
} finally {
  execSync(`kill -9 ${PID}`)
  rmSync(folder, { recursive: true, force: true })
}
for (const r of rows) console.log(JSON.stringify(r))
