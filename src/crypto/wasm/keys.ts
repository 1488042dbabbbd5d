// From a traffic secret to the keys of a slot (RFC 9001 §5.1).

import { HASH, IN_TEXT, SLOT_HEADER_KEY, SLOT_IV } from './layout'
import { hmac } from './sha256'

/** What one HkdfLabel takes of `IN_TEXT`. */
const LABEL: usize = 32

/** The secret is at `IN_KEY`, the labels of packet key, header key and IV are at `IN_TEXT`. */
export function deriveKeys(slot: usize): void {
  expandLabel(IN_TEXT, slot)
  expandLabel(IN_TEXT + LABEL, slot + SLOT_HEADER_KEY)
  expandLabel(IN_TEXT + 2 * LABEL, slot + SLOT_IV)
}

/**
 * HKDF-Expand-Label without context, up to the length of a hash (RFC 8446 §7.1). Of the label: two bytes of length of
 * what is wanted, its text with a length in front, no context, and the counter of HKDF-Expand.
 */
function expandLabel(label: usize, into: usize): void {
  hmac(label, usize(load<u8>(label, 2)) + 5)
  memory.copy(into, HASH, load<u8>(label, 1))
}
