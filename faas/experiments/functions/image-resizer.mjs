// Image Resizer: `/?url=URL&width=W` is fetched, and answered in that width.

import sharp from 'sharp'

// Workers are many, and have a processor each.
sharp.concurrency(1)
sharp.cache(false)

export async function fetch(request) {
  const query = new URL(request.url).searchParams
  const response = await globalThis.fetch(query.get('url'))
  if (!response.ok) return { status: 502, body: `${query.get('url')}: ${response.status}` }
  const image = sharp(new Uint8Array(await response.arrayBuffer()))
  const body = await image
    .resize({ width: Number(query.get('width')) })
    .png({ compressionLevel: 1 })
    .toBuffer()
  return { headers: [['content-type', 'image/png']], body: new Uint8Array(body) }
}
