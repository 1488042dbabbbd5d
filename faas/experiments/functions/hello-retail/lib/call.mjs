// A function calls the next one through the gateway: how, the one who called it says (`?via=SYSTEM`), so that one set of
// functions serves all systems that are compared.

import { PlainCaller } from '../../../lib/plain-caller.mjs'
import { QuicCaller } from '../../../lib/quic-caller.mjs'
import { systems } from '../../../lib/systems.mjs'

const gateways = JSON.parse(process.env['GATEWAYS'])
const callers = new Map()

/** `via`: the system by whose gateway, `plain`: over TCP whatever the gateway does; as `tls13` or `quic-0rtt,plain`. */
export async function call(name, value, query) {
  const via = query.get('via')
  const path = `/function/${name}/?via=${via}`
  return JSON.parse(await callerOf(via).call(path, { method: 'POST', body: JSON.stringify(value) }))
}

function callerOf(via) {
  const known = callers.get(via)
  if (known !== undefined) return known
  const [system, isPlain] = via.split(',')
  const own = isPlain ? systems.tcp : systems[system]
  const Caller = own.transport === 'quic' ? QuicCaller : PlainCaller
  const made = new Caller(own, gateways[system])
  callers.set(via, made)
  return made
}
