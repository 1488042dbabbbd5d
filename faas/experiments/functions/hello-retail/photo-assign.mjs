// f4: whoever has the fewest assignments.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { product } = required(body, 'product')
  const [photographer] = await query('SELECT id, mail FROM photographers ORDER BY assignments LIMIT 1')
  await query('UPDATE photographers SET assignments = assignments + 1 WHERE id = ?', [photographer.id])
  return { product, photographer: photographer.id, mail: photographer.mail }
})
