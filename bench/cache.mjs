// A cache without a server beside npm's caches, and its hit ratio beside other policies', in one run: `make bench-cache`.
//
//   node bench/cache.mjs [TRACES]      a folder with web07.u32.zst and orm-night.u32.zst (cache2k, CC BY 4.0)
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = dirname(fileURLToPath(import.meta.url))
const OURS = process.env.BENCH_NEAR || join(HERE, '../build/release/bench-near')
const TRACES = process.argv[2] || process.env.TRACES
const lines = (program, ...args) =>
  execFileSync(program, args.map(String), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    .trim().split('\n').map((line) => JSON.parse(line))

// Miss ratios by libCacheSim, of Caffeine itself, and of an optimum that knows the future.
const REFERENCE = {
  web07: {
    205: { LRU: 0.6083, SIEVE: 0.578, ARC: 0.5807, Caffeine: 0.5613, 'S3-FIFO': 0.562, Belady: 0.4659 },
    1024: { LRU: 0.4944, SIEVE: 0.4656, ARC: 0.4679, Caffeine: 0.4856, 'S3-FIFO': 0.4578, Belady: 0.3628 },
    2048: { LRU: 0.4434, SIEVE: 0.4207, ARC: 0.4194, Caffeine: 0.4577, 'S3-FIFO': 0.4188, Belady: 0.3191 },
  },
  'orm-night': {
    865: { LRU: 0.3375, SIEVE: 0.3817, ARC: 0.335, Caffeine: 0.352, 'S3-FIFO': 0.3538, Belady: 0.2558 },
    4323: { LRU: 0.146, SIEVE: 0.1357, ARC: 0.1336, Caffeine: 0.1371, 'S3-FIFO': 0.1142, Belady: 0.0667 },
    8647: { LRU: 0.0652, SIEVE: 0.0631, ARC: 0.0642, Caffeine: 0.0637, 'S3-FIFO': 0.0595, Belady: 0.04 },
  },
}

function hits(keys) {
  const ours = lines(OURS, 'hits', keys), peers = lines('node', join(HERE, 'cache_peer.mjs'), keys)
  const bento = Math.min(...peers.filter((p) => p.what.startsWith('bentocache')).map((p) => p.ns))
  console.log(`\n| a hit of ${keys.toLocaleString('en')} keys (16 B key, 100 B value, Zipf 0.99) | ns | ns a thread, 2 threads | scale | bentocache's best / this |\n| --- | ---: | ---: | ---: | ---: |`)
  for (const o of ours) console.log(`| ${o.what}${o.tags ? `, ${o.tags} tags` : ''} | ${o.ns} | ${o.ns_of_two} | ${o.scale} | ${Math.round(bento / o.ns)} |`)
  for (const p of peers) console.log(`| ${p.what} | ${p.ns} | | | |`)
  return { ours, bento }
}

function traces() {
  const names = ['LRU', 'SIEVE', 'ARC', 'Caffeine', 'S3-FIFO', 'Belady'], mean = {}
  console.log(`\n| misses of 10,000 requests | entries | here | ${names.join(' | ')} |\n| --- | ---: | ---: | ${names.map(() => '---:').join(' | ')} |`)
  for (const [trace, sizes] of Object.entries(REFERENCE))
    for (const { entries, miss } of lines(OURS, 'trace', join(TRACES, `${trace}.u32.zst`), ...Object.keys(sizes))) {
      const all = { here: miss, ...sizes[entries] }
      for (const [name, ratio] of Object.entries(all)) mean[name] = (mean[name] || 0) + ratio / 6
      console.log(`| ${trace} | ${entries} | ${Math.round(miss * 1e4)} | ${names.map((n) => Math.round(all[n] * 1e4)).join(' | ')} |`)
    }
  console.log(`| mean | | ${Math.round(mean.here * 1e4)} | ${names.map((n) => Math.round(mean[n] * 1e4)).join(' | ')} |`)
  return mean
}

const rows = []
const row = (name, ours, peer, goal, ok) => rows.push({ row: name, ours, peer, ratio: peer ? +(ours / peer).toFixed(3) : undefined, goal, ok })
const few = hits(1000).ours.find((o) => o.what === 'sc_cache_try_borrow')
row("2 threads, borrowed, 1,000 keys: in a core's own cache", few.scale, undefined, '>= 1.8', few.scale >= 1.8)
const { ours, bento } = hits(10000)
const of = (what, tags) => ours.find((o) => o.what === what && o.tags === tags)
const borrow = of('sc_cache_try_borrow', 0), copy = of('sc_cache_try_copy', 0)
row('a borrowed hit, ns', borrow.ns, bento, '<= 60 ns', borrow.ns <= 60)
row('a copied hit, ns', copy.ns, bento, '<= 100 ns', copy.ns <= 100)
row('a borrowed hit with 4 tags', of('sc_cache_try_borrow', 4).ns, borrow.ns, '<= 1.2', of('sc_cache_try_borrow', 4).ns <= 1.2 * borrow.ns)
row('2 threads, borrowed, 10,000 keys', borrow.scale, undefined, '>= 1.8', borrow.scale >= 1.8)
const [told] = lines(OURS, 'delete')
console.log(`\nA delete while a thread reads: p50 ${told.p50_us} µs, p99 ${told.p99_us} µs, p99.9 ${told.p999_us} µs.`)
row('a delete while a thread reads, p99 µs', told.p99_us, undefined, '< 50', told.p99_us < 50)
if (TRACES && existsSync(TRACES)) {
  const mean = traces()
  row('mean miss ratio, beside S3-FIFO', +mean.here.toFixed(4), +mean['S3-FIFO'].toFixed(4), '<= 1', mean.here <= mean['S3-FIFO'])
  row('mean miss ratio, beside Caffeine', +mean.here.toFixed(4), +mean.Caffeine.toFixed(4), '< 1', mean.here < mean.Caffeine)
} else {
  console.log('\nNo traces: name their folder for hit ratios.')
}
console.log()
for (const r of rows) console.log(JSON.stringify(r))
