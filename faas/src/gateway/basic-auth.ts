// Who may manage functions (RFC 7617).

import { timingSafeEqual } from 'node:crypto'
import type { FunctionResponse } from '../http/handler.ts'
import type { IncomingRequest } from '../http/incoming-request.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** Undefined: this one may. `credentials` undefined: everybody who can ask may. */
export function challenge(
  { headers }: IncomingRequest,
  credentials: Credentials | undefined,
): FunctionResponse | undefined {
  if (credentials === undefined || isAllowed(headers.get('authorization'), credentials)) return undefined
  return { status: 401, headers: [['www-authenticate', 'Basic realm="Restricted"']], body: 'invalid credentials' }
}

function isAllowed(header: string | null, { user, password }: Credentials): boolean {
  const given = Buffer.from(header ?? '')
  const wanted = Buffer.from(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
