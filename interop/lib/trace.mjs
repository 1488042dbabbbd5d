// What one end of the link saw, decrypted by tshark.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const OUTPUT = { encoding: 'utf8', maxBuffer: 1 << 30, timeout: 600_000 }
/** Where servers listen, and where they prefer to be reached. */
const PORTS = [443, 444, 4433, 4443]
const LONG = '(quic.long.packet_type || quic.long.packet_type_v2) && !icmp && !icmpv6'
const SHORT = 'quic.header_form == 0 && !icmp && !icmpv6'
const ALL = 'quic && !icmp && !icmpv6'

export const V1 = '0x00000001'
export const V2 = '0x6b3343cf'
const TYPES = ['initial', '0-rtt', 'handshake', 'retry']

export class Trace {
  /** `keylog`: undefined when there are no secrets. `server`: its addresses. */
  constructor(pcap, keylog, server) {
    this.pcap = pcap
    this.keylog = keylog
    this.server = Object.values(server).map(plain)
  }

  /** Packets with long headers, in order: { isFromServer, type, version, size, layer }. `size` is of the datagram. */
  async long() {
    this.longPackets ??= await this.#long()
    return this.longPackets
  }

  /** Datagrams as rows of these fields: { isFromServer, fields: {name: [values]} }. */
  async datagrams(names, filter = ALL) {
    const fields = [...PATH, ...names]
    const args = ['-T', 'fields', '-E', 'separator=;', ...fields.flatMap(name => ['-e', name])]
    const rows = await this.#tshark(filter, args)
    return rows
      .split('\n')
      .filter(Boolean)
      .map(row => Object.fromEntries(row.split(';').map((text, i) => [fields[i], text === '' ? [] : text.split(',')])))
      .map(each => ({ fields: each, isFromServer: this.#isFromServer(source(each)), path: pathOf(each) }))
  }

  /** The same, of datagrams that hold a packet with a short header. */
  short(names) {
    return this.datagrams(names, SHORT)
  }

  async #long() {
    const text = await this.#tshark(LONG, ['-T', 'json', '--no-duplicate-keys', '-J', 'ip ipv6 udp quic tls'])
    return JSON.parse(text).flatMap(({ _source: { layers } }) => {
      const isFromServer = this.#isFromServer(layers.ip?.['ip.src'] ?? layers.ipv6?.['ipv6.src'])
      const size = Number(layers.udp['udp.length']) - 8
      return [layers.quic]
        .flat()
        .filter(layer => layer['quic.header_form'] === '1' || layer['quic.header_form'] === 'True')
        .map(layer => ({ isFromServer, size, type: typeOf(layer), version: layer['quic.version'], layer }))
    })
  }

  #isFromServer(address) {
    return this.server.includes(plain(address))
  }

  async #tshark(filter, output) {
    const args = ['-r', this.pcap, '--disable-protocol', 'http3', '-Y', filter, ...output]
    args.push(...PORTS.flatMap(port => ['-d', `udp.port==${port},quic`]))
    if (this.keylog !== undefined) args.push('-o', `tls.keylog_file:${this.keylog}`)
    const { stdout } = await run('tshark', args, OUTPUT)
    return stdout
  }
}

/** Every value of `key` in a layer, however deep. */
export function valuesOf(node, key) {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([name, value]) => (name === key ? [value].flat() : valuesOf(value, key)))
}

const PATH = ['ip.src', 'ipv6.src', 'ip.dst', 'ipv6.dst', 'udp.srcport', 'udp.dstport']

function source(fields) {
  return fields['ip.src'][0] ?? fields['ipv6.src'][0]
}

function pathOf(fields) {
  return {
    source: source(fields),
    destination: fields['ip.dst'][0] ?? fields['ipv6.dst'][0],
    text: PATH.map(name => fields[name][0] ?? '').join(' '),
  }
}

/** The numbers of version 2 are those of version 1 and one more (RFC 9369 §3.2). */
function typeOf(layer) {
  if (layer['quic.version'] === '0x00000000') return 'version negotiation'
  const v2 = layer['quic.long.packet_type_v2']
  return TYPES[v2 === undefined ? Number(layer['quic.long.packet_type']) : (Number(v2) + 3) % 4]
}

/** IPv6 addresses are written in more than one way. */
function plain(address) {
  return address?.includes(':') ? new URL(`http://[${address}]`).hostname : address
}
