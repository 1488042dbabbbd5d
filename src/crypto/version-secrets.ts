// What a QUIC version fixes about its keys: salt, labels and Retry key (RFC 9001 §5.2, §5.8, RFC 9369 §3.3).

import { fromHex } from '../bytes/hex.ts'

export interface VersionSecrets {
  readonly initialSalt: Uint8Array
  readonly keyLabel: string
  readonly ivLabel: string
  readonly hpLabel: string
  readonly kuLabel: string
  readonly retryKey: Uint8Array
  readonly retryNonce: Uint8Array
}

/** The constants of a version. Asking for a version this stack does not speak is the caller's fault. */
export function versionSecrets(version: number): VersionSecrets {
  if (version === 0x00000001) return version1
  if (version === 0x6b3343cf) return version2
  throw new RangeError(`no keys for QUIC version 0x${version.toString(16)}`)
}

/** RFC 9001 §5.1, §5.2, §5.8. */
const version1: VersionSecrets = {
  initialSalt: fromHex('38762cf7f55934b34d179ae6a4c80cadccbb7f0a'),
  keyLabel: 'quic key',
  ivLabel: 'quic iv',
  hpLabel: 'quic hp',
  kuLabel: 'quic ku',
  retryKey: fromHex('be0c690b9f66575a1d766b54e368c84e'),
  retryNonce: fromHex('461599d35d632bf2239825bb'),
}

/** RFC 9369 §3.3. */
const version2: VersionSecrets = {
  initialSalt: fromHex('0dede3def700a6db819381be6e269dcbf9bd2ed9'),
  keyLabel: 'quicv2 key',
  ivLabel: 'quicv2 iv',
  hpLabel: 'quicv2 hp',
  kuLabel: 'quicv2 ku',
  retryKey: fromHex('8fb4b01b56ac48e260fbcbcead7ccc92'),
  retryNonce: fromHex('d86969bc2d7c6d9990efb04a'),
}
