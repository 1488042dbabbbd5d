// The shape of these functions: JSON in, JSON out; what a handler throws is the caller's fault.

/** `handler({ body, query, request })` returns what is answered. */
export function jsonFunction(handler) {
  return async request => {
    const query = new URL(request.url).searchParams
    try {
      const body = request.body ? await request.json() : undefined
      return answer(200, await handler({ body, query, request }))
    } catch (error) {
      return answer(error instanceof TypeError ? 400 : 500, { error: error.message })
    }
  }
}

/** A TypeError for what is missing. */
export function required(body, ...names) {
  for (const name of names) if (body?.[name] === undefined) throw new TypeError(`${name} is missing`)
  return body
}

function answer(status, value) {
  return { status, headers: [['content-type', 'application/json']], body: JSON.stringify(value) }
}
