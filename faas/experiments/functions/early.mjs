// Says whose first request this is, and whether it came as early data.

let requests = 0

export function fetch(request) {
  const isFirst = requests++ === 0
  return { body: JSON.stringify({ pid: process.pid, isFirst, early: request.early }) }
}
