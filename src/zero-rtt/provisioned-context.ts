// What an imported PSK of ours says about itself (RFC 9258 §5.1, context). It travels in the clear but under the
// binder: whoever alters it does not have the key.
//
//   struct {
//     uint8  format = 1;
//     uint8  role;            who sends it: 0, the client
//     opaque parties[16];     a keyed digest of client and instance, so that no name is readable on the path
//     uint32 epoch;
//     uint32 counter;         a new one for every connection
//     uint48 time;            Unix ms: external PSKs have no ticket age, freshness is judged by this
//   } Context;

import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'

export const Role = { Client: 0, Server: 1 } as const
export type Role = (typeof Role)[keyof typeof Role]

export interface ProvisionedContext {
  readonly role: number
  readonly parties: Uint8Array
  readonly epoch: number
  readonly counter: number
  readonly time: number
}

export const PARTIES_LENGTH: number = 16
export const CONTEXT_LENGTH: number = 2 + PARTIES_LENGTH + 4 + 4 + 6

export function writeContext(context: ProvisionedContext): Uint8Array {
  const writer = Writer.allocate(CONTEXT_LENGTH)
  const time = Math.floor(context.time)
  writer.u8(FORMAT)
  writer.u8(context.role)
  writer.put(context.parties)
  writer.u32(context.epoch)
  writer.u32(context.counter)
  writer.u16(Math.floor(time / 0x100000000))
  writer.u32(time % 0x100000000)
  return writer.finish()
}

/** Undefined for another length or another format. */
export function readContext(bytes: Uint8Array): ProvisionedContext | undefined {
  if (bytes.length !== CONTEXT_LENGTH || bytes[0] !== FORMAT) return undefined
  const reader = new Reader(bytes, 1)
  return {
    role: reader.u8(),
    parties: reader.copy(PARTIES_LENGTH),
    epoch: reader.u32(),
    counter: reader.u32(),
    time: reader.u16() * 0x100000000 + reader.u32(),
  }
}

const FORMAT = 1
