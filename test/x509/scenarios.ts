// Certificates by the name they have in test/vectors/x509/scenarios.pem.

import { caDer, x509Vector } from '../support/certificates.ts'

const blocks = x509Vector('scenarios.pem').matchAll(/^(\S+)\n-----BEGIN CERTIFICATE-----([^-]+)-----END/gm)
const scenarios = new Map<string, Uint8Array>(
  Array.from(blocks, block => [block[1] as string, Uint8Array.from(Buffer.from(block[2] as string, 'base64'))]),
)
scenarios.set('ca', caDer)

export function scenario(name: string): Uint8Array {
  const der = scenarios.get(name)
  if (der === undefined) throw new Error(`no certificate ${name}`)
  return der
}

/** Space between. */
export function chainOf(names: string): Uint8Array[] {
  return names.split(' ').map(scenario)
}
