// What the matrix needs of the machine.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs, and the packages of Debian they are in. */
const TOOLS = {
  python3: 'python3',
  ip: 'iproute2',
  nsenter: 'util-linux',
  tshark: 'tshark',
  openssl: 'openssl',
  iperf3: 'iperf3',
}

/** Throws an Error that says what to do. */
export function assertTools() {
  const missing = Object.keys(TOOLS).filter(name => !isProgram(name))
  if (missing.length > 0) {
    const packages = missing.map(name => TOOLS[name]).join(' ')
    throw new Error(`${missing.join(', ')} not found: apt-get install --no-install-recommends ${packages}`)
  }
  if (process.getuid?.() !== 0) throw new Error('network namespaces need root: sudo npm run interop')
}

function isProgram(name) {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some(directory => {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
