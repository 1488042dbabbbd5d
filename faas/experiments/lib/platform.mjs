// The gateway as people run it, with workers that are processes of this machine; and callers of it.

import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { readDeployment } from '../../dist/gateway/deployment.js'
import { Gateway } from '../../dist/gateway/gateway.js'
import { ProcessProvider } from '../../dist/gateway/process-provider.js'

const directory = fileURLToPath(new URL('../functions', import.meta.url))

export class Platform {
  provider = new ProcessProvider({ directory, startDeadline: 60_000 })
  gateway
  ports
  /** What the gateway complained of. */
  errors = []

  static async start() {
    const platform = new Platform()
    platform.gateway = new Gateway({
      provider: platform.provider,
      port: 0,
      securePort: 0,
      metricsPort: 0,
      onError: error => platform.errors.push(error),
    })
    platform.ports = await platform.gateway.listen()
    return platform
  }

  deploy(service, envProcess, rest = {}) {
    return this.provider.deploy(readDeployment({ service, image: '.', envProcess, ...rest }))
  }

  instances(service) {
    return this.provider.instances(nameOf(service))
  }

  status(service) {
    return this.provider.find(nameOf(service))
  }

  scale(service, replicas) {
    this.provider.scale(nameOf(service), replicas)
  }

  /** How many sessions with workers there were, by what became of their early data. */
  async sessions() {
    const text = await this.gateway.metrics.registry.metrics()
    const counts = {}
    for (const [, result, count] of text.matchAll(/^zerotrip_gateway_sessions_total\{.*result="([^"]+)"\} (\d+)/gm)) {
      counts[result] = (counts[result] ?? 0) + Number(count)
    }
    return counts
  }

  async stop() {
    await this.gateway[Symbol.asyncDispose]()
    await this.provider[Symbol.asyncDispose]()
  }
}

function nameOf(service) {
  return { name: service, namespace: 'openfaas-fn' }
}

/**
 * Kills a worker of this process; false: it is gone. Numbers of processes are given to others soon: only a child is
 * killed, and none is reaped, nor its number free, before this returns.
 */
export function killWorker(pid) {
  return isChild(pid) && process.kill(pid, 'SIGKILL')
}

export function isChild(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // pid (name) state ppid …; a name may have parentheses of its own.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(parent) === process.pid && state !== 'Z'
  } catch {
    return false
  }
}

/** Calls by HTTP/1.1. Resolves with the status and the body; rejects when there was no answer. */
export class Caller {
  #agent
  #port

  constructor(port, connections = 1) {
    this.#port = port
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  call(path, { method = 'GET', body, headers = {}, timeout = 90_000 } = {}) {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    return new Promise((resolve, reject) => {
      const begun = performance.now()
      const options = { host: '127.0.0.1', port: this.#port, path, method, headers: { ...headers, ...length } }
      const outgoing = request({ ...options, agent: this.#agent, timeout }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', data => {
          text += data
        })
        response.once('error', reject)
        response.once('end', () => resolve({ status: response.statusCode, body: text, ms: performance.now() - begun }))
      })
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${timeout} ms`)))
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  }

  close() {
    this.#agent.destroy()
  }
}
