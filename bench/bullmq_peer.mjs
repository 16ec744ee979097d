// BullMQ's side of the queue benchmark. Commands as in bench/README.md, "A peer".
import { Queue, Worker } from 'bullmq'
import { appendFileSync } from 'node:fs'
import { connection, jobOpts, mono, payload } from './job.mjs'

const [command, first, second] = process.argv.slice(2)
const queue = ['worker', 'idle'].includes(command) ? null : new Queue('q', { connection })

async function timed(n, run) {
  const cpu = process.cpuUsage(), began = performance.now()
  await run()
  const used = process.cpuUsage(cpu)
  console.log(JSON.stringify({ n, secs: (performance.now() - began) / 1000, cpu: (used.user + used.system) / 1e6 }))
}

// `width` calls under way at any time, `n` in all.
async function inFlight(n, width, call) {
  let left = n
  await Promise.all(Array.from({ length: width }, async () => { while (left-- > 0) await call() }))
}

const add = (t, opts) => queue.add('email', payload(t), { ...jobOpts, ...opts })
const commands = {
  async add(mode, n) {
    if (mode === 'one') return timed(n, () => inFlight(n, 1, () => add()))
    if (mode === 'conc') return timed(n, () => inFlight(n, 100, () => add()))
    return timed(n, async () => {
      for (let i = 0; i < n; i += 1000)
        await queue.addBulk(Array.from({ length: Math.min(1000, n - i) }, () => ({ name: 'email', data: payload(), opts: jobOpts })))
    })
  },
  async produce(n, rate) {
    const began = mono() + 1e8
    for (let i = 0; i < n; i++) {
      const wait = (began + (i / rate) * 1e9 - mono()) / 1e6
      if (wait > 0) await new Promise((r) => setTimeout(r, wait))
      await add(mono())
    }
  },
  async delay(n, span) {
    const began = mono() + 1e9
    await inFlight(n, 20, () => {
      const due = began + Math.floor(Math.random() * span) * 1e6
      return add(due, { delay: Math.round((due - mono()) / 1e6) })
    })
  },
  async worker(concurrency) {
    const file = process.env.LAT_FILE
    const worker = new Worker('q', async (job) => { if (file) appendFileSync(file, mono() - job.data.t + '\n') }, { connection, concurrency })
    process.on('SIGTERM', () => process.exit(0))
    await worker.waitUntilReady()
    return 'stay'
  },
  async idle(count) {
    process.on('SIGTERM', () => process.exit(0))
    await Promise.all(Array.from({ length: count }, (_, i) => new Worker(`q${i}`, async () => {}, { connection }).waitUntilReady()))
    return 'stay'
  },
}

if (queue) await queue.waitUntilReady()
const done = await commands[command](command === 'add' ? first : +first, +second)
if (done !== 'stay') process.exit(0)
