// A proxy on 127.0.0.1:PORT to 127.0.0.1:SERVER_PORT. SIGUSR1: what the server says takes MS from now on; SIGUSR2: no longer.
//
//   node delay_proxy.mjs PORT SERVER_PORT MS
import { connect, createServer } from 'node:net'

const [port, serverPort, ms] = process.argv.slice(2).map(Number)
let delay = 0
process.on('SIGUSR1', () => (delay = ms))
process.on('SIGUSR2', () => (delay = 0))
createServer((client) => {
  const server = connect(serverPort, '127.0.0.1')
  client.setNoDelay(true)
  server.setNoDelay(true)
  client.on('data', (bytes) => server.write(bytes))
  let due = 0
  server.on('data', (bytes) => {
    due = Math.max(due, performance.now() + delay) // in order, also when the delay ends
    if (due <= performance.now()) client.write(bytes)
    else setTimeout(() => client.write(bytes), due - performance.now())
  })
  for (const [one, other] of [[client, server], [server, client]]) one.on('close', () => other.destroy()).on('error', () => {})
}).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'))
