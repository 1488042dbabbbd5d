// f11: the assignment is done.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { product, state } = required(body, 'product', 'state')
  await query('UPDATE assignments SET state = ? WHERE product = ?', [state, product])
  return { product, state }
})
