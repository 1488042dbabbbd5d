// A backend that counts how often cryptography is asked for something.

const DIRECT = ['hash', 'hmac', 'headerKey', 'packetKey', 'aead', 'keyExchange', 'encapsulate', 'privateKey', 'verify']
/** What these make works, too. */
const VERBS = ['unmask', 'seal', 'open', 'agree', 'sign', 'update', 'digest']

export function counted(backend) {
  const calls = { count: 0 }
  const counting = { ...backend }
  for (const name of [...DIRECT, 'hasher']) {
    counting[name] = (...parameters) => {
      if (name !== 'hasher') calls.count++
      return watched(backend[name](...parameters), calls)
    }
  }
  return { backend: counting, calls }
}

/** The object itself, for backends know their own; its verbs are covered by counting ones. */
function watched(made, calls) {
  if (typeof made !== 'object' || made === null || made instanceof Uint8Array) return made
  for (const verb of VERBS) {
    const original = made[verb]
    if (typeof original !== 'function') continue
    made[verb] = (...parameters) => {
      calls.count++
      return original.apply(made, parameters)
    }
  }
  return made
}
