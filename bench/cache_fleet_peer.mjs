// The peer of bench/cache_fleet.c: bentocache with both of its tiers. One JSON line a run.
//
//   node cache_fleet_peer.mjs stampede PROCESSES CALLERS LOAD_MS | failing CALLERS LOAD_MS | gets, misses or plain CALLERS SECONDS | outage CALLERS SECONDS BEGIN END
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisDriver } from 'bentocache/drivers/redis'
import { execSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import Redis from 'ioredis'

const { hostname: host, port } = new URL(process.env.BENCH_URL)
const [what, ...args] = process.argv.slice(2)
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))

function open(near) {
  let store = bentostore()
  if (near) store = store.useL1Layer(memoryDriver({ maxSize: '64mb' }))
  store = store.useL2Layer(redisDriver({ connection: { host, port: +port } }))
  return new BentoCache({ default: 'both', stores: { both: store } })
}

async function ask(callers, loadMs, fails) {
  const cache = open(true)
  let loads = 0
  const factory = async () => {
    loads++
    await sleep(loadMs)
    if (fails) throw new Error('the load fails')
    return 'v'
  }
  await cache.get({ key: 'warm' })
  if (process.send) {
    process.send('ready')
    await once(process, 'message')
  }
  const began = performance.now()
  await Promise.allSettled(Array.from({ length: callers }, () => cache.getOrSet({ key: 'stampede', factory, ttl: '60s' })))
  const wall_ms = performance.now() - began
  await cache.disconnectAll()
  return { loads, wall_ms }
}

async function stampede(processes, callers, loadMs) {
  const children = Array.from({ length: processes }, () =>
    spawn('node', [fileURLToPath(import.meta.url), 'child', callers, loadMs], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }))
  await Promise.all(children.map((child) => once(child, 'message')))
  const texts = children.map(async (child) => { let text = ''; for await (const part of child.stdout) text += part; return JSON.parse(text) })
  for (const child of children) child.send('go')
  const runs = await Promise.all(texts)
  return { processes, callers, loads: runs.reduce((sum, run) => sum + run.loads, 0), wall_ms: Math.max(...runs.map((run) => run.wall_ms)) }
}

async function gets(callers, seconds) {
  const cache = open(false)
  await Promise.all(Array.from({ length: 1000 }, (_, i) => cache.set({ key: `bench:${i}`, value: 'v'.repeat(100), ttl: '10m' })))
  const until = performance.now() + seconds * 1000
  let count = 0
  await Promise.all(Array.from({ length: callers }, async (_, n) => {
    for (let i = n * 37; performance.now() < until; i++, count++) await cache.get({ key: `bench:${i % 1000}` })
  }))
  await cache.disconnectAll()
  return { callers, per_s: Math.round(count / seconds) }
}

async function misses(callers, seconds) {
  const cache = open(false), until = performance.now() + seconds * 1000, factory = () => 'v'.repeat(100)
  let count = 0
  await Promise.all(Array.from({ length: callers }, async (_, n) => {
    for (let i = 0; performance.now() < until; i++, count++) await cache.getOrSet({ key: `miss:${n}:${i}`, factory, ttl: '10m' })
  }))
  await cache.disconnectAll()
  return { callers, per_s: Math.round(count / seconds) }
}

// ioredis alone, which puts the commands of one turn of the event loop together.
async function plainGets(callers, seconds) {
  const client = new Redis({ host, port: +port, enableAutoPipelining: true })
  await Promise.all(Array.from({ length: 1000 }, (_, i) => client.set(`bench:${i}`, 'v'.repeat(100))))
  const until = performance.now() + seconds * 1000
  let count = 0
  await Promise.all(Array.from({ length: callers }, async (_, n) => {
    for (let i = n * 37; performance.now() < until; i++, count++) await client.get(`bench:${i % 1000}`)
  }))
  client.disconnect()
  return { callers, per_s: Math.round(count / seconds) }
}

async function outage(callers, seconds, begin, end) {
  const cache = open(false), ms = []
  const factory = () => sleep(1).then(() => 'v')
  await Promise.all(Array.from({ length: 1000 }, (_, i) => cache.set({ key: `bench:${i}`, value: 'v', ttl: '1m' })))
  let stopped = false, over = false, news = 0
  const calls = Promise.all(Array.from({ length: callers }, async () => {
    for (let i = 0; !over; i++) {
      const counts = stopped, began = performance.now()
      await cache.getOrSet({ key: i % 2 ? `new:${news++}` : `bench:${(i >> 1) % 1000}`, factory, ttl: '1m' }).catch(() => {})
      if (counts) ms.push(performance.now() - began)
    }
  }))
  await sleep(500)
  execSync(begin)
  stopped = true
  await sleep(seconds * 1000)
  stopped = false
  over = true
  execSync(end)
  await calls
  ms.sort((a, b) => a - b)
  const at = (p) => +(ms[Math.floor(p * (ms.length - 1))] ?? seconds * 1000).toFixed(2)
  return { callers, calls: ms.length, p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) }
}

const runs = { stampede: () => stampede(+args[0], +args[1], +args[2]), failing: () => ask(+args[0], +args[1], true), child: () => ask(+args[0], +args[1], false), gets: () => gets(+args[0], +args[1]), misses: () => misses(+args[0], +args[1]), plain: () => plainGets(+args[0], +args[1]), outage: () => outage(+args[0], +args[1], args[2], args[3]) }
console.log(JSON.stringify({ what, ...(await runs[what]()) }))
process.exit(0)
