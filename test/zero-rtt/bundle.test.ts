import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  clientBundleFromJson,
  clientBundleToJson,
  readClientBundle,
  readWorkerBundle,
  workerBundleFromJson,
  workerBundleToJson,
  writeClientBundle,
  writeWorkerBundle,
} from '../../src/zero-rtt/bundle.ts'
import { provision } from '../../src/zero-rtt/generator.ts'
import { writeRemembered } from '../../src/zero-rtt/remembered-parameters.ts'
import { integer, seededRandom } from '../reference/random.ts'
import { bytesOf, parameters, START, toHex } from './support.ts'

const { worker, client } = provision({
  backend: nodeBackend,
  unixTime: START,
  clientId: 'gateway-1',
  addresses: ['10.0.0.7:443', '[2001:db8::7]:443'],
  serverName: 'worker.internal',
  transportParameters: writeRemembered(parameters),
  appState: bytesOf('settings'),
  pins: [new Uint8Array(32).fill(8)],
  initialRtt: 3,
})

const halves = [
  {
    half: 'worker',
    bundle: worker,
    write: () => writeWorkerBundle(worker),
    read: readWorkerBundle,
    toJson: () => workerBundleToJson(worker),
    fromJson: workerBundleFromJson,
  },
  {
    half: 'client',
    bundle: client,
    write: () => writeClientBundle(client),
    read: readClientBundle,
    toJson: () => clientBundleToJson(client),
    fromJson: clientBundleFromJson,
  },
]

/** A few bytes changed, taken out or put in. */
function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = integer(random, bytes.length)
  const kind = integer(random, 4)
  if (kind === 0) return bytes.slice(0, at)
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), Uint8Array.of(integer(random, 256)), bytes.subarray(at)])
  if (kind === 2) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
  const altered = bytes.slice()
  for (let left = 1 + integer(random, 4); left > 0; left--) {
    const place = (at + integer(random, 8)) % bytes.length
    altered[place] = (altered[place] as number) ^ (1 + integer(random, 255))
  }
  return Buffer.compare(altered, bytes) === 0 ? bytes.slice(1) : altered
}

/** False: refused with a TypeError. */
function isRead(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

describe.each(halves)('the half of the $half', ({ half, bundle, write, read, toJson, fromJson }) => {
  test('binary, read back', () => {
    expect(read(write())).toEqual(bundle)
  })

  test('JSON, read back', () => {
    expect(fromJson(toJson())).toEqual(bundle)
    expect(JSON.parse(toJson())).toMatchObject({ format: `zerotrip ${half} bundle`, formatVersion: 2 })
  })

  test('cut short at any byte: refused', () => {
    const written = write()
    for (let length = 0; length < written.length; length++) {
      expect(() => read(written.subarray(0, length))).toThrow(TypeError)
    }
  })

  test('bytes behind: refused', () => {
    expect(() => read(Buffer.concat([write(), Uint8Array.of(0)]))).toThrow('too many')
  })

  test('of an unknown version: refused', () => {
    const written = write()
    written[4] = 3
    expect(() => read(written)).toThrow('version 3 is not known')
    expect(() => fromJson(toJson().replace('"formatVersion":2', '"formatVersion":3'))).toThrow('version is not known')
  })

  test('altered, cut short or lengthened in 100,000 ways: refused, and never by another error', () => {
    const written = write()
    const text = toJson()
    const json = new TextEncoder().encode(text)
    const random = seededRandom(9258)
    const decoder = new TextDecoder()
    // Spaces between tokens, and capitals in hexadecimal, are the same bundle in other words.
    const isSame = (other: string): boolean =>
      other.replace(/\s/g, '').toLowerCase() === text.replace(/\s/g, '').toLowerCase()
    const { stackTraceLimit } = Error
    // Nobody reads the traces of so many errors.
    Error.stackTraceLimit = 0
    try {
      for (let i = 0; i < 25_000; i++) {
        const altered = mutate(written, random)
        if (isRead(() => read(altered))) throw new Error(`read: ${toHex(altered)}`)
        const other = decoder.decode(mutate(json, random))
        if (isRead(() => fromJson(other)) && !isSame(other)) throw new Error(`read: ${other}`)
      }
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  })

  test('JSON that is not exactly right: refused', () => {
    const right = JSON.parse(toJson()) as Record<string, unknown>
    const { key, ...keyless } = right
    for (const wrong of [
      '',
      '{',
      'null',
      '[]',
      '"text"',
      JSON.stringify(keyless),
      JSON.stringify({ ...right, extra: 1 }),
      JSON.stringify({ ...right, __proto__: undefined, format: 'other' }),
      JSON.stringify({ ...right, key: `${String(key).slice(1)}g` }),
      JSON.stringify({ ...right, key: String(key).slice(2) }),
      JSON.stringify({ ...right, key: 7 }),
      JSON.stringify({ ...right, epoch: '0' }),
      JSON.stringify({ ...right, epoch: 0.5 }),
      JSON.stringify({ ...right, earlyRequests: 'sometimes' }),
      JSON.stringify({ ...right, alpn: null }),
      JSON.stringify({ ...right, notBefore: right['expires'] }),
      toJson().replace('{', '{"__proto__":{},'),
    ]) {
      expect(() => fromJson(wrong)).toThrow(TypeError)
    }
  })

  test('an error does not repeat the text, which holds a key', () => {
    const { key } = JSON.parse(toJson()) as { key: string }
    for (const wrong of [`${toJson()}}`, toJson().replace(key, `${key}!`), toJson().replace('"key":"', '"key":')]) {
      try {
        fromJson(wrong)
        expect.unreachable()
      } catch (error) {
        expect(String(error)).not.toContain(key.slice(0, 8))
      }
    }
  })
})

test('a life that ends before it begins: refused', () => {
  expect(() => readWorkerBundle(writeWorkerBundle({ ...worker, expires: worker.notBefore }))).toThrow(
    'before it begins',
  )
  const json = clientBundleToJson({ ...client, expires: client.notBefore })
  expect(() => clientBundleFromJson(json)).toThrow('before it begins')
})

test.each(halves)('what was read of a $half bundle stays when its bytes are wiped', ({ bundle, write, read }) => {
  const bytes = write()
  const copy = read(bytes)
  bytes.fill(0)
  expect(copy).toEqual(bundle)
})

test('one half is not the other', () => {
  expect(() => readClientBundle(writeWorkerBundle(worker))).toThrow('something else')
  expect(() => readWorkerBundle(writeClientBundle(client))).toThrow('something else')
  expect(() => clientBundleFromJson(workerBundleToJson(worker))).toThrow('something else')
})

test('lists and text are bounded, and text is UTF-8', () => {
  expect(() => writeClientBundle({ ...client, addresses: Array.from({ length: 17 }, () => 'a:1') })).toThrow(TypeError)
  expect(() => clientBundleToJson({ ...client, addresses: 'a:1' as never })).toThrow(TypeError)
  const json = JSON.parse(clientBundleToJson(client)) as object
  expect(() => clientBundleFromJson(JSON.stringify({ ...json, addresses: 'a:1' }))).toThrow(TypeError)
  const written = writeClientBundle({ ...client, alpn: 'zzzz' })
  const at = Buffer.from(written).indexOf('zzzz')
  written[at] = 0xff
  expect(() => readClientBundle(written)).toThrow(TypeError)
})

test('a field that is neither there nor absent', () => {
  const written = writeClientBundle({ ...client, serverName: undefined, alpn: 'zzzz' })
  const at = Buffer.from(written).indexOf('zzzz') + 4
  expect(written[at]).toBe(0)
  written[at] = 2
  expect(() => readClientBundle(written)).toThrow('neither')
})
