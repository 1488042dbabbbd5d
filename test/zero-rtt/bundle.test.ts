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
import { bytesOf, parameters, START } from './support.ts'

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

describe.each(halves)('the half of the $half', ({ half, bundle, write, read, toJson, fromJson }) => {
  test('binary, read back', () => {
    expect(read(write())).toEqual(bundle)
  })

  test('JSON, read back', () => {
    expect(fromJson(toJson())).toEqual(bundle)
    expect(JSON.parse(toJson())).toMatchObject({ format: `zerotrip ${half} bundle`, formatVersion: 1 })
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
    written[4] = 2
    expect(() => read(written)).toThrow('version 2 is not known')
    expect(() => fromJson(toJson().replace('"formatVersion":1', '"formatVersion":2'))).toThrow('version is not known')
  })

  test('any byte altered: refused, or legal again', () => {
    const written = write()
    for (let at = 0; at < written.length; at++) {
      const altered = written.slice()
      altered[at] = (altered[at] as number) ^ 0xff
      try {
        read(altered)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
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

  test('a life that ends before it begins: refused', () => {
    const { notBefore } = bundle
    const text = toJson().replace(`"expires":${bundle.expires}`, `"expires":${notBefore}`)
    expect(() => fromJson(text)).toThrow('expires before it begins')
  })
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
