// Provisioning for HTTP/3: what the worker will promise is worked out from the options it will be started with.

import type { TransportOptions } from '../connection/config.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { defaultBackend } from '../crypto/backend-wasm.ts'
import { unixTime } from '../endpoint/clock.ts'
import type { ClientBundle, WorkerBundle } from '../zero-rtt/bundle.ts'
import { type ClientOptions, provision, type WorkerOptions } from '../zero-rtt/generator.ts'
import type { ServeOptions } from './serve.ts'
import { serverParameters, serverSettings } from './settings.ts'

export interface ProvisionHttp3Options
  extends ClientOptions,
    Omit<WorkerOptions, 'backend' | 'unixTime' | 'transportParameters' | 'appState' | 'alpn'> {
  /** The `transport` the worker's `serve` will be given. */
  readonly transport?: TransportOptions
  /** The `http3` the worker's `serve` will be given. */
  readonly http3?: ServeOptions['http3']
  readonly backend?: CryptoBackend
}

/**
 * The two halves for one worker instance that is about to start and its first client (`clientId`). Hand `worker` over
 * by an inherited descriptor or a tmpfs file, never by environment or argument, and never twice.
 */
export function provisionHttp3(options: ProvisionHttp3Options): { worker: WorkerBundle; client: ClientBundle } {
  const { transport, http3, ...rest } = options
  return provision({
    ...rest,
    backend: options.backend ?? defaultBackend,
    unixTime: unixTime(),
    alpn: 'h3',
    transportParameters: serverParameters(transport),
    appState: serverSettings(http3),
  })
}
