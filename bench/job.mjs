// What both sides of the queue benchmark add: StoryChain's welcome mail. bench/queue_peer.c has the same in C.
export const PORT = +(process.env.BENCH_PORT || 7391)
export const connection = { host: '127.0.0.1', port: PORT, maxRetriesPerRequest: null }
export const payload = (t) => ({
  to: 'ada@example.org', subject: 'Welcome', template: 'welcome',
  context: { name: 'Ada', storySlug: 'my-adventure' }, ...(t === undefined ? {} : { t }),
})
export const jobOpts = {
  attempts: 3, backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: { count: 100 }, removeOnFail: { count: 500 },
}
// CLOCK_MONOTONIC in ns, the same clock in every process of one machine.
export const mono = () => Number(process.hrtime.bigint())
