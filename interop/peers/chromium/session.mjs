// The runner's WebTransport cases in a page: it asks for files, or answers what it is asked, until the session is closed.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const { TESTCASE, REQUESTS, PROTOCOLS, WWW, DOWNLOADS } = process.env

export async function visit(page) {
  const urls = REQUESTS.split(' ').map(text => new URL(text))
  const [, endpoint] = urls[0].pathname.split('/')
  const names = urls.map(({ pathname }) => pathname.split('/')[2]).filter(Boolean)
  const { protocol, files } = await page.run(inPage, {
    url: `${urls[0].origin}/${endpoint}`,
    protocols: PROTOCOLS.split(' '),
    testcase: TESTCASE,
    names,
    files: filesIn(join(WWW, endpoint)),
  })
  if (TESTCASE === 'handshake') writeFileSync(join(DOWNLOADS, 'negotiated_protocol.txt'), protocol)
  mkdirSync(join(DOWNLOADS, endpoint), { recursive: true })
  for (const [name, content] of files) writeFileSync(join(DOWNLOADS, endpoint, name), Buffer.from(content, 'base64'))
}

/** In base64, as everything goes to the page and back. */
function filesIn(directory) {
  const names = readdirSync(directory)
  return Object.fromEntries(names.map(name => [name, readFileSync(join(directory, name), 'base64')]))
}

/** Runs in the page. */
async function inPage({ url, protocols, testcase, names, files }) {
  const session = new WebTransport(url, { protocols })
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]
  const bytesOf = async readable => new Uint8Array(await new Response(readable).arrayBuffer())
  const toBase64 = bytes => Array.from(bytes, byte => String.fromCharCode(byte)).join('')
  const contentOf = name => Uint8Array.from(atob(files[name]), letter => letter.charCodeAt(0))
  const write = async (writable, ...parts) => {
    const writer = writable.getWriter()
    for (const part of parts) writer.write(part)
    await writer.close()
  }
  const each = async (readable, work) => {
    const reader = readable.getReader()
    for (let next = await reader.read(); !next.done; next = await reader.read()) work(next.value)
  }
  const got = new Map()
  const keep = message => {
    const end = message.indexOf(10)
    got.set(decoder.decode(message.subarray('PUSH '.length, end)), message.subarray(end + 1))
  }
  const asked = message => decoder.decode(message).slice('GET '.length).trim()
  const isGet = message => decoder.decode(message.subarray(0, 4)) === 'GET '
  const pushed = name => [encoder.encode(`PUSH ${name}\n`), contentOf(name)]

  await session.ready
  const ways = {
    async unidirectional() {
      for (const name of names) await write(await session.createUnidirectionalStream(), encoder.encode(`GET ${name}`))
    },
    async bidirectional() {
      const ask = async name => {
        const { readable, writable } = await session.createBidirectionalStream()
        await write(writable, encoder.encode(`GET ${name}`))
        got.set(name, await bytesOf(readable))
      }
      await Promise.all(names.map(ask))
    },
    async datagram() {
      while (got.size < names.length) {
        for (const name of names) if (!got.has(name)) await datagrams.write(encoder.encode(`GET ${name}`))
        await new Promise(resolve => setTimeout(resolve, 500))
      }
    },
  }
  const datagrams = session.datagrams.writable.getWriter()
  const loops = [
    each(session.incomingUnidirectionalStreams, async readable => {
      const message = await bytesOf(readable)
      if (isGet(message)) await write(await session.createUnidirectionalStream(), ...pushed(asked(message)))
      else keep(message)
    }),
    each(session.incomingBidirectionalStreams, async ({ readable, writable }) =>
      write(writable, contentOf(asked(await bytesOf(readable)))),
    ),
    each(session.datagrams.readable, async message => {
      if (isGet(message)) await datagrams.write(new Uint8Array(await new Blob(pushed(asked(message))).arrayBuffer()))
      else keep(message)
    }),
  ]
  // They end with the session.
  for (const loop of loops) loop.catch(() => {})
  await ways[testcase.split('-')[1]]?.()
  while (got.size < names.length) await new Promise(resolve => setTimeout(resolve, 20))
  if (testcase !== 'transfer') session.close()
  await session.closed
  return { protocol: session.protocol, files: [...got].map(([name, bytes]) => [name, btoa(toBase64(bytes))]) }
}
