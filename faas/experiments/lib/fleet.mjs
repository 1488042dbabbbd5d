// A provider whose workers somebody else starts, on another machine: the gateway is told of them.

import { readDeployment } from '../../dist/gateway/deployment.js'
import { keyOf } from '../../dist/gateway/provider.js'

export class Fleet {
  #functions = new Map()
  #listeners = []

  /** `instance` is the one worker of the function `service`, which takes such requests early. */
  set(service, instance, earlyRequests = 'safe') {
    const known = this.#functionOf(service, earlyRequests)
    if (known.instance) this.#tell('gone', known)
    known.instance = instance
    this.#tell('ready', known, true)
  }

  /** As if the worker had been suspended and resumed: its connections are gone, it is the same one. */
  renew() {
    for (const known of this.#functions.values()) {
      this.#tell('gone', known)
      this.#tell('ready', known)
    }
  }

  list() {
    return [...this.#functions.values()].map(known => known.status)
  }

  find(of) {
    return this.#functions.get(keyOf(of))?.status
  }

  instances(of) {
    const instance = this.#functions.get(keyOf(of))?.instance
    return instance ? [instance] : []
  }

  subscribe(listener) {
    this.#listeners.push(listener)
  }

  scale() {
    return true
  }

  #functionOf(service, earlyRequests) {
    const annotations = { 'zerotrip.early-data': earlyRequests }
    const { service: name, namespace, ...rest } = readDeployment({ service, annotations })
    const of = { name, namespace }
    const known = this.#functions.get(keyOf(of)) ?? { of, status: { name, namespace, ...rest, replicas: 1 } }
    this.#functions.set(keyOf(of), known)
    return known
  }

  #tell(type, { of, instance }, isNew = false) {
    for (const listener of this.#listeners) listener({ type, of, instance, isNew })
  }
}
