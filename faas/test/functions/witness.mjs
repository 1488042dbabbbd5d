// A function that says what it sees, and remembers how often it ran.

const runs = new Map()
const environment = Object.keys(process.env).filter(name => name.startsWith('ZEROTRIP_'))

export async function fetch(request) {
  const url = new URL(request.url)
  if (url.pathname === '/runs') return new Response(String(runs.get(url.searchParams.get('of')) ?? 0))
  if (url.pathname === '/environment') return Response.json(environment)
  if (url.pathname === '/body') return new Response(await request.text(), { status: 201, headers: { 'x-seen': 'yes' } })
  if (url.pathname === '/pid') return Response.json(process.pid)
  if (url.pathname === '/hang') return new Promise(() => {})
  if (url.pathname === '/fail') throw new Error('as it was asked to')
  runs.set(url.pathname, (runs.get(url.pathname) ?? 0) + 1)
  return Response.json({ path: url.pathname, method: request.method, early: request.early })
}
