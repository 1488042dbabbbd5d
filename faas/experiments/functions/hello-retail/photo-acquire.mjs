// f8, Acquire Photo: it is received (f9), found good (f10) and reported (f11).

import { call } from './lib/call.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body, query }) => {
  const received = await call('photo-receive', required(body, 'product', 'photo'), query)
  return call('photo-report', await call('photo-success', received, query), query)
})
