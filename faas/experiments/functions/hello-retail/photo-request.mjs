// f3, Request Photo: a photographer is found (f4), told by mail (f5) and written down (f6).

import { call } from './lib/call.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body, query }) => {
  const assigned = await call('photo-assign', required(body, 'product'), query)
  // Nobody waits for the mail.
  call('photo-message', assigned, query).catch(error => console.error(error))
  return call('photo-record', assigned, query)
})
