// Writes to every descriptor it has, that of the platform included.

import { writeSync } from 'node:fs'

for (const descriptor of [3, 4, 5]) {
  try {
    writeSync(descriptor, 'not an announcement\n')
  } catch {
    // It has no such one.
  }
}

export const fetch = () => new Response('nobody hears this')
