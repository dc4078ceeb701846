const everyNth = 50
const burnUs = 50_000
let requests = 0

/** Answers at once, but for one request in 50, which first takes 50 ms of CPU time. */
export default function sometimesBusy(_request, response) {
  requests += 1
  if (requests % everyNth === 0) burn()
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '4' })
  response.end('done')
}

function burn() {
  const before = process.threadCpuUsage()
  for (let seen = before; seen.user + seen.system - before.user - before.system < burnUs;) {
    seen = process.threadCpuUsage()
  }
}
