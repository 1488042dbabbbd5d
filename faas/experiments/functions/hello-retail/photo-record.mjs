// f6: the assignment is written down.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { product, photographer } = required(body, 'product', 'photographer')
  await query('REPLACE INTO assignments (product, photographer, state) VALUES (?, ?, ?)', [
    product,
    photographer,
    'asked',
  ])
  return { product, photographer }
})
