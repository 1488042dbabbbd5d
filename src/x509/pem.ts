// PEM (RFC 7468): the text around DER.

/** Every block with this label (`CERTIFICATE`, `PRIVATE KEY`), in order; text between the blocks is skipped. */
export function pemBlocks(text: string, label: string): Uint8Array[] {
  const begin = `-----BEGIN ${label}-----`
  const end = `-----END ${label}-----`
  const blocks: Uint8Array[] = []
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
    const start = at + begin.length
    at = text.indexOf(end, start)
    if (at < 0) throw new TypeError(`PEM: ${begin} without its end`)
    blocks.push(fromBase64(text.slice(start, at), label))
  }
  return blocks
}

/** One block of PEM. */
export function pemText(label: string, der: Uint8Array): string {
  let binary = ''
  for (const byte of der) binary += String.fromCharCode(byte)
  const lines = btoa(binary).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function fromBase64(text: string, label: string): Uint8Array {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    throw new TypeError(`PEM: what is in ${label} is not base64 (encrypted keys are not supported)`)
  }
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}
