// The function every variant calls: 100 bytes. It remembers what a benchmark and a demo want to know of its side.

const body = new Uint8Array(100).fill(0x2e)
const headers = [['content-type', 'text/plain']]

/** Executions by path. */
const runs = new Map()
const seen = { requests: 0, early: 0, earlyConfirmed: 0 }

/** HTTP/3. What is early runs at once; that its handshake did complete is counted later. */
export function fetch(request) {
  const path = pathOf(request.url)
  if (path.startsWith('/report')) return { headers, body: report(path) }
  if (request.early) {
    seen.early++
    request.confirmed.then(onConfirmed, ignore)
  }
  count(path)
  return { headers, body }
}

/** HTTP/1.1, as bare as node:http has it: no Request is made for the sake of the others. */
export function listener(request, response) {
  const { url } = request
  const answer = url.startsWith('/report') ? report(url) : body
  if (answer === body) count(url)
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': answer.length })
  response.end(answer)
}

function count(path) {
  seen.requests++
  if (path !== '/') runs.set(path, (runs.get(path) ?? 0) + 1)
}

/** `/report?PATH`: how often that path was executed, and the totals. */
function report(url) {
  const path = decodeURIComponent(url.slice(url.indexOf('?') + 1))
  return Buffer.from(JSON.stringify({ runs: runs.get(path) ?? 0, ...seen, cpu: process.cpuUsage() }))
}

function onConfirmed() {
  seen.earlyConfirmed++
}

function ignore() {}

function pathOf(url) {
  return url.slice(url.indexOf('/', 'https://'.length))
}
