// The peers of bench/near.c: hits in memory of bentocache (its L1 alone) and of lru-cache. One JSON line a figure.
//
//   node cache_peer.mjs [KEYS]
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { LRUCache } from 'lru-cache'

const KEYS = +(process.argv[2] || 10000), RUNS = 100, RUN_HITS = 10000, ASKED = 1 << 16
const names = Array.from({ length: KEYS }, (_, i) => 'story:' + String(i).padStart(10, '0'))
const value = 'v'.repeat(100)
let sum = 0

// The n-th most popular key is asked for with a chance of 1/n^0.99.
const upTo = new Float64Array(KEYS)
for (let i = 0, all = 0; i < KEYS; i++) upTo[i] = all += 1 / (i + 1) ** 0.99
const asked = Array.from({ length: ASKED }, () => {
  const at = Math.random() * upTo[KEYS - 1]
  let low = 0, high = KEYS - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (upTo[middle] < at) low = middle + 1
    else high = middle
  }
  return names[low]
})

async function time(what, run) {
  let best = Infinity
  for (let i = 0; i < RUNS; i++) {
    const began = process.hrtime.bigint()
    await run(i * 7919)
    best = Math.min(best, Number(process.hrtime.bigint() - began) / RUN_HITS)
  }
  console.log(JSON.stringify({ what, keys: KEYS, ns: +best.toFixed(1) }))
}

const bento = new BentoCache({
  default: 'plain',
  ttl: '1h',
  stores: {
    plain: bentostore().useL1Layer(memoryDriver({ maxItems: KEYS * 2 })),
    raw: bentostore().useL1Layer(memoryDriver({ maxItems: KEYS * 2, serialize: false })),
  },
})
const lru = new LRUCache({ max: KEYS * 2 })
for (const name of names) {
  lru.set(name, value)
  await bento.set({ key: name, value })
  await bento.use('raw').set({ key: name, value })
}
const bentoRun = (cache) => async (from) => {
  for (let i = from; i < from + RUN_HITS; i++) sum += (await cache.get({ key: asked[i % ASKED] })).length
}
await time('bentocache get', bentoRun(bento))
await time('bentocache get, serialize: false', bentoRun(bento.use('raw')))
await time('bentocache getOrSet', async (from) => {
  for (let i = from; i < from + RUN_HITS; i++) sum += (await bento.getOrSet({ key: asked[i % ASKED], factory: () => value })).length
})
await time('lru-cache get', (from) => {
  for (let i = from; i < from + RUN_HITS; i++) sum += lru.get(asked[i % ASKED]).length
})
process.exit(sum > 0 ? 0 : 1)
