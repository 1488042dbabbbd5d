// A function that calls another, by the chain client: `?to=NAME&n=3` calls it n times, each on a session of its own.

import { fetch as call, disconnect } from '@zerotrip/faas/chain'

export async function fetch(request) {
  const { searchParams } = new URL(request.url)
  const answers = []
  for (let i = 0; i < Number(searchParams.get('n') ?? 1); i++) {
    const body = request.method === 'POST' ? 'chained' : undefined
    const response = await call(`${searchParams.get('to')}/a?b`, { method: request.method, body })
    answers.push({ status: response.status, served: response.headers.get('x-served-by'), body: await response.text() })
    disconnect()
  }
  return Response.json(answers)
}
