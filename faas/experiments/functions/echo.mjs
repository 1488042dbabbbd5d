// The function of figures 5 and 7: what it is sent, or as many bytes as `?bytes=` asks for.

const headers = [['content-type', 'text/plain']]
const large = new Map()

export async function fetch(request) {
  const at = request.url.indexOf('?bytes=')
  if (at >= 0) return { headers, body: zeros(Number(request.url.slice(at + 7))) }
  return { headers, body: `Response: echo: ${request.body ? await request.text() : ''}` }
}

function zeros(length) {
  const known = large.get(length) ?? new Uint8Array(length)
  large.set(length, known)
  return known
}
