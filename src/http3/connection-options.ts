// What a connection is told, and what it tells.

import type { RequestEvent } from './request-stream.ts'
import type { OwnSettings } from './settings.ts'

export interface Http3ConnectionOptions extends OwnSettings {
  readonly role: 'client' | 'server'
  /** Fields in one section. Default 256. */
  readonly maxFields?: number
  /** Client, for early data: the server's SETTINGS of last time, as `peerSettingsBytes` gave them. */
  readonly rememberedSettings?: Uint8Array | undefined
}

export type Http3Event =
  | RequestEvent
  | { readonly type: 'settings' }
  /** Client: requests on streams from `id` on were not and will not be processed. */
  | { readonly type: 'goaway'; readonly id: number }
  /** A request may be opened that could not be before. */
  | { readonly type: 'requestsAvailable' }
  | { readonly type: 'handshakeConfirmed' }
  /** `isDelivered` became true. */
  | { readonly type: 'delivered' }
  | { readonly type: 'closed'; readonly error: Error | undefined }
