#!/usr/bin/env node
// zerotrip-gateway [STACK.yaml]: a gateway with the functions of a file, as processes of this machine.
// zerotrip-gateway --workers LIST: one with workers of other machines. LIST is a file or an https: URL.

import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { GatewayAddress } from '../chain/gateway-address.ts'
import { readEnvironment } from './environment.ts'
import { Gateway } from './gateway.ts'
import { ProcessProvider } from './process-provider.ts'
import type { Provider } from './provider.ts'
import { readStackFile } from './stack-file.ts'
import { StaticProvider } from './static-provider.ts'

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      'plain-host': { type: 'string', default: '127.0.0.1' },
      cert: { type: 'string' },
      key: { type: 'string' },
      url: { type: 'string' },
      port: { type: 'string', default: '8080' },
      'secure-port': { type: 'string', default: '8443' },
      'metrics-port': { type: 'string', default: '8082' },
      workers: { type: 'string' },
      'workers-ca': { type: 'string' },
    },
  })
  const [file] = positionals
  const provider = await providerOf(file, values, () => gateway.addressForOne())
  const gateway: Gateway = new Gateway({
    ...(await readEnvironment(process.env)),
    ...(await certificateOf(values)),
    provider,
    host: values.host,
    plainHost: values['plain-host'],
    port: portOf('--port', values.port),
    securePort: portOf('--secure-port', values['secure-port']),
    metricsPort: portOf('--metrics-port', values['metrics-port']),
    url: values.url,
    onError: error => console.error(error),
  })
  const { deployments, notes } = file === undefined ? { deployments: [], notes: [] } : await readStackFile(file)
  for (const note of notes) console.error(`${file}: ${note}`)
  if (process.getuid?.() === 0 && deployments.some(each => each.envVars['function_uid'] === undefined)) {
    console.error(
      'functions run as root and can read the keys of their watchdogs: `function_uid` makes them somebody else',
    )
  }
  const { port, securePort, metricsPort } = await gateway.listen()
  const plain = values['plain-host']
  await Promise.all(deployments.map(each => provider.deploy(each)))
  console.log(`functions  http://${plain}:${port}/function/NAME`)
  console.log(`           https://${values.host}:${securePort}/function/NAME (HTTP/3, HTTP/2)`)
  console.log(`status     http://${plain}:${port}/ui/`)
  console.log(`metrics    http://${plain}:${metricsPort}/metrics`)
  for (const { service } of deployments) console.log(`           http://${plain}:${port}/function/${service}`)
  const end = async (): Promise<void> => {
    await gateway[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
    process.exit(0)
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
}

/** The files of a certificate chain and its key, both or neither. */
async function certificateOf({ cert, key }: { cert?: string | undefined; key?: string | undefined }): Promise<object> {
  if (cert === undefined && key === undefined) return {}
  if (cert === undefined || key === undefined) throw new TypeError('--cert and --key go together')
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
}

async function providerOf(
  file: string | undefined,
  values: { readonly workers?: string | undefined; readonly 'workers-ca'?: string | undefined },
  gateway: () => GatewayAddress,
): Promise<Provider> {
  const { workers: source, 'workers-ca': ca } = values
  if (source === undefined) {
    return new ProcessProvider({ ...(file !== undefined && { directory: dirname(file) }), gateway })
  }
  if (file !== undefined) throw new TypeError('either STACK.yaml or --workers: functions come from one of them')
  const onError = (error: unknown): void => console.error(`zerotrip-gateway: ${source}:`, error)
  const provider = new StaticProvider({ source, onError, ...(ca !== undefined && { ca: await readFile(ca, 'utf8') }) })
  await provider.start()
  return provider
}

function portOf(option: string, text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port
  throw new TypeError(`${option} wants a port from 0 to 65535, not '${text}'`)
}

main().catch(error => {
  console.error(`zerotrip-gateway: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
})
