// f13.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { id, user } = required(body, 'id', 'user')
  const [product] = await query('SELECT price FROM products WHERE id = ?', [id])
  if (product === undefined) throw new TypeError(`no product ${id}`)
  return { id, user, price: product.price }
})
