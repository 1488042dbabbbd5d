// f9: the photo is kept.

import { query } from './lib/database.mjs'
import { jsonFunction, required } from './lib/function.mjs'

export const fetch = jsonFunction(async ({ body }) => {
  const { product, photo } = required(body, 'product', 'photo')
  await query('REPLACE INTO photos (product, photo) VALUES (?, ?)', [product, photo])
  return { product, bytes: photo.length }
})
