// A JavaScript function, run inside its watchdog.

export async function fetch(request) {
  const { pathname } = new URL(request.url)
  return Response.json({ hello: pathname.slice(1) || 'world', early: request.early })
}
