// f7, Register Photographer.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { id, mail } = required(body, 'id', 'mail')
  await query('REPLACE INTO photographers (id, mail, assignments) VALUES (?, ?, 0)', [id, mail])
  return { id }
})
