// f2, Create Product.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { id, category, name, price } = required(body, 'id', 'category', 'name', 'price')
  await query('REPLACE INTO products (id, category, name, price) VALUES (?, ?, ?, ?)', [id, category, name, price])
  return { id }
})
