// f1, Browse Products: the products of a category.

import { query } from './lib/database.mjs'
import { jsonFunction } from './lib/function.mjs'

export const fetch = jsonFunction(({ query: wanted }) =>
  query('SELECT id, category, name, price FROM products WHERE category = ? LIMIT 20', [wanted.get('category')]),
)
