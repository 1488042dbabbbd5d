// f14: is there a card, and is it good for the price.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { id, user, price } = required(body, 'id', 'user', 'price')
  const [card] = await query('SELECT number, credit FROM cards WHERE user = ?', [user])
  return { id, user, price, approved: card !== undefined && card.credit >= price }
})
