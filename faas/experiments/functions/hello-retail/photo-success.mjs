// f10: is it a photo. The pure function that figure 10a calls by GET.

import { jsonFunction } from './lib/function.mjs'

export const fetch = jsonFunction(({ body, query }) => {
  const { product = query.get('product'), bytes = 0 } = body ?? {}
  return { product, state: bytes > 0 ? 'done' : 'empty' }
})
