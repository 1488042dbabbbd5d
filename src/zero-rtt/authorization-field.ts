// How tickets and resumptions store whom a connection was for.

import type { Authorization } from '../tls13/ports.ts'
import { MAX_CLIENT_ID_LENGTH, MAX_FUNCTION_LENGTH } from './provisioned-keys.ts'
import { type Field, group, text, uint } from './record-format.ts'

/** The name of an instance in hexadecimal is the longest. */
const MAX_PEER_LENGTH = Math.max(MAX_CLIENT_ID_LENGTH, 128)

export const authorizationField: Field<Authorization> = group<Authorization>({
  peer: text(0, MAX_PEER_LENGTH),
  edge: text(0, 2 * MAX_FUNCTION_LENGTH + 1),
  epoch: uint(0xffffffff),
})
