// The function every variant calls: 100 bytes, or as many as /bytes/N says. It remembers what a benchmark and a demo
// want to know of its side.

/** By their length. */
const bodies = new Map()
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
  return { headers, body: bodyOf(path) }
}

/** HTTP/1.1, as bare as node:http has it: no Request is made for the sake of the others. */
export function listener(request, response) {
  const { url } = request
  const isReport = url.startsWith('/report')
  if (!isReport) count(url)
  const answer = isReport ? report(url) : bodyOf(url)
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': answer.length })
  response.end(answer)
}

/** How many bytes the answer has. */
export function lengthOf(path) {
  return path.startsWith('/bytes/') ? Number(path.slice('/bytes/'.length)) : 100
}

function bodyOf(path) {
  const length = lengthOf(path)
  if (!bodies.has(length)) bodies.set(length, new Uint8Array(length).fill(0x2e))
  return bodies.get(length)
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
