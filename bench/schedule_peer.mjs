// BullMQ's side of the schedule benchmark: a worker until SIGTERM, `work C`. The schedules are those that our side stored.
import { Worker } from 'bullmq'
import { appendFileSync } from 'node:fs'
import { connection } from './job.mjs'

const file = process.env.LAT_FILE
const worker = new Worker('q', async (job) => {
  if (file) appendFileSync(file, `${Math.round((performance.timeOrigin + performance.now()) * 1000 - Number(job.id.slice(job.id.lastIndexOf(':') + 1)) * 1000)}\n`)
}, { connection, concurrency: Number(process.argv[3]) })
process.on('SIGTERM', async () => { await worker.close(); process.exit(0) })
