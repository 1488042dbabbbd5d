// ClientHellos put together extension by extension, Chromium's among them.

import { message } from './support.ts'

export type Extension = readonly [type: number, body: readonly number[]]

export interface HelloParts {
  readonly version?: number
  readonly random?: readonly number[]
  readonly session?: readonly number[]
  readonly suites?: readonly number[]
  readonly compression?: readonly number[]
  readonly extensions: readonly Extension[]
}

export function u16(value: number): number[] {
  return [value >>> 8, value & 255]
}

/** A vector with a length of 1 or 2 bytes. */
export function vector(size: 1 | 2, ...parts: readonly (readonly number[])[]): number[] {
  const body = parts.flat()
  return size === 1 ? [body.length, ...body] : [...u16(body.length), ...body]
}

export function ascii(text: string): number[] {
  return Array.from(text, letter => letter.charCodeAt(0))
}

export function clientHello(parts: HelloParts): Uint8Array {
  const { version = 0x0303, random = new Array(32).fill(1), session = [], suites = [0x1301], compression = [0] } = parts
  const extensions = parts.extensions.flatMap(([type, body]) => [...u16(type), ...vector(2, body)])
  return message(1, [
    ...u16(version),
    ...random,
    ...vector(1, session),
    ...vector(2, suites.flatMap(u16)),
    ...vector(1, compression),
    ...vector(2, extensions),
  ])
}

/** The extensions a server needs, by name, so that tests can leave out or change any of them. */
export function neededExtensions(publicKey: Uint8Array): Record<string, Extension> {
  return {
    serverName: [0, vector(2, [0], vector(2, ascii('localhost')))],
    versions: [43, vector(1, u16(0x0304))],
    groups: [10, vector(2, u16(0x1d))],
    schemes: [13, vector(2, u16(0x0403))],
    alpn: [16, vector(2, vector(1, ascii('h3')))],
    shares: [51, vector(2, u16(0x1d), vector(2, [...publicKey]))],
    modes: [45, vector(1, [1])],
    parameters: [0x39, [1, 2, 3]],
  }
}

const GREASE = [0x0a0a, 0x3a3a, 0x8a8a, 0xcaca, 0xeaea] as const

/**
 * As Chromium sends it: GREASE everywhere, a post-quantum share and one of X25519, ECH grease, extensions in the order
 * given by `sort`.
 */
export function chromiumHello(
  hybrid: Uint8Array,
  publicKey: Uint8Array,
  sort: (extensions: Extension[]) => Extension[],
): Uint8Array {
  const schemes = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]
  const echGrease = [0, 0, 1, 0, 1, 0x77, ...vector(2, new Array(32).fill(3)), ...vector(2, new Array(208).fill(4))]
  const middle: Extension[] = [
    [0, vector(2, [0], vector(2, ascii('localhost')))],
    [23, []],
    [0xff01, [0]],
    [10, vector(2, u16(GREASE[1]), u16(0x11ec), u16(0x1d), u16(0x17), u16(0x18))],
    [11, vector(1, [0])],
    [35, []],
    [16, vector(2, vector(1, ascii('h3')))],
    [5, [1, 0, 0, 0, 0]],
    [13, vector(2, schemes.flatMap(u16))],
    [18, []],
    [
      51,
      vector(
        2,
        u16(GREASE[1]),
        vector(2, [0]),
        u16(0x11ec),
        vector(2, [...hybrid]),
        u16(0x1d),
        vector(2, [...publicKey]),
      ),
    ],
    [45, vector(1, [1])],
    [43, vector(1, u16(GREASE[2]), u16(0x0304))],
    [27, vector(1, u16(2))],
    [0x44cd, vector(2, vector(1, ascii('h3')))],
    [0x39, [...new Array(80).fill(6)]],
    [0xfe0d, echGrease],
  ]
  const suites = [GREASE[0], 0x1301, 0x1302, 0x1303]
  return clientHello({ suites, extensions: [[GREASE[3], []], ...sort(middle), [GREASE[4], [0]]] })
}
