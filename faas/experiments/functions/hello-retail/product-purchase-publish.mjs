// f15: what became of the purchase. The pure function that figure 10a calls by POST.

import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(({ body }) => {
  const { id, user, approved } = required(body, 'id', 'user', 'approved')
  return { id, user, state: approved ? 'sold' : 'refused' }
})
