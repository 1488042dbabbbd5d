// What goes over the link in a case: files, where they are and where they shall arrive, and what either side is asked for.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectFiles, makeFiles, randomName } from './files.mjs'

/** Protocols of a WebTransport session that either side knows; two of them both do, in another order. */
const PROTOCOLS = 5
const NEGOTIATED = 'negotiated_protocol.txt'

/**
 * { requests, protocols, judge }: by role, URLs of a client and paths of a server. `www` is what both have, `downloads`
 * receives what comes to the client, `uploads` what comes to the server. `judge` throws an Error unless all has arrived.
 */
export function prepare(test, places, origin) {
  return (test.isSession ? session : transfer)(test, places, origin)
}

function transfer(test, { www, downloads, uploads }, origin) {
  const files = makeFiles(www, test.files, test.nameLength)
  return {
    requests: { client: Object.keys(files).map(name => `${origin}/${name}`), server: [] },
    protocols: { client: [], server: [] },
    judge: () => expectFiles(test.goesToServer ? uploads : downloads, files),
  }
}

/** The files of a session lie in a directory that has the name of its path. */
function session({ files: sizes = [], goesToServer = false }, { www, downloads, uploads }, origin) {
  const endpoint = randomName()
  mkdirSync(join(www, endpoint))
  const files = makeFiles(join(www, endpoint), sizes)
  const paths = Object.keys(files).map(name => `${endpoint}/${name}`)
  const isAsked = paths.length > 0 && !goesToServer
  const protocols = protocolLists()
  return {
    requests: {
      client: (isAsked ? paths : [endpoint]).map(path => `${origin}/${path}`),
      server: goesToServer ? paths : [],
    },
    protocols,
    judge() {
      if (sizes.length > 0) return expectFiles(join(goesToServer ? uploads : downloads, endpoint), files)
      for (const place of [downloads, uploads]) expectProtocol(place, protocols)
    },
  }
}

function protocolLists() {
  const names = Array.from({ length: 2 * PROTOCOLS - 2 }, () => randomName())
  return { client: names.slice(0, PROTOCOLS), server: [...names.slice(PROTOCOLS), names[3], names[1]] }
}

/** The client's first that the server has. */
function expectProtocol(place, { client, server }) {
  const expected = client.find(name => server.includes(name))
  const found = readFileSync(join(place, NEGOTIATED), 'utf8').trim()
  if (found !== expected) throw new Error(`negotiated protocol '${found}', not '${expected}'`)
}
