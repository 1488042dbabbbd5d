// f12, Purchase Product: its price (f13), whether the card is good for it (f14), and the news (f15).

import { call } from './lib/call.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body, query }) => {
  const priced = await call('product-purchase-get-price', required(body, 'id', 'user'), query)
  return call('product-purchase-publish', await call('product-purchase-authorize-cc', priced, query), query)
})
