// A function that is a process for each request: stdin in, stdout out.

import { text } from 'node:stream/consumers'

const body = await text(process.stdin)
if (body === 'fail') process.exit(2)
if (body === 'sleep') {
  process.stdout.write('begun')
  await new Promise(resolve => setTimeout(resolve, 60_000))
}
if (body === 'environment') {
  const names = Object.keys(process.env).filter(name => /^Http_|^ZEROTRIP_/.test(name))
  process.stdout.write(JSON.stringify(Object.fromEntries(names.map(name => [name, process.env[name]]))))
} else process.stdout.write(body.toUpperCase())
