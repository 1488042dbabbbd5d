// What the environment says to a gateway, in OpenFaaS' words.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readDuration } from '../http/duration.ts'
import type { Credentials } from './basic-auth.ts'
import type { GatewayOptions } from './options.ts'

type Environment = Readonly<Record<string, string | undefined>>

type FromEnvironment = Pick<
  GatewayOptions,
  'credentials' | 'readTimeout' | 'writeTimeout' | 'upstreamTimeout' | 'scaleFromZero' | 'providerUrl'
>

/** Rejects with a TypeError that names the variable, or with the error of a file that cannot be read. */
export async function readEnvironment(environment: Environment): Promise<FromEnvironment> {
  const duration = (name: string): number | undefined => readDuration(environment[name] ?? '')
  return {
    credentials: await readCredentials(environment),
    readTimeout: duration('read_timeout'),
    writeTimeout: duration('write_timeout'),
    upstreamTimeout: duration('upstream_timeout'),
    scaleFromZero: !/^(0|false|no|off)$/i.test(environment['scale_from_zero'] ?? ''),
    providerUrl: readProviderUrl(environment['functions_provider_url']),
  }
}

function readProviderUrl(text: string | undefined): URL | undefined {
  if (!text) return undefined
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text)
  throw new TypeError(`functions_provider_url must be an http:// or https:// URL, not '${text}'`)
}

/** `basic_auth=true`, and two files in `secret_mount_path`. */
async function readCredentials(environment: Environment): Promise<Credentials | undefined> {
  if (!/^(1|true|yes|on)$/i.test(environment['basic_auth'] ?? '')) return undefined
  const directory = environment['secret_mount_path'] ?? '/run/secrets/'
  const read = async (name: string): Promise<string> => (await readFile(join(directory, name), 'utf8')).trim()
  const credentials = { user: await read('basic-auth-user'), password: await read('basic-auth-password') }
  if (credentials.password === '') throw new TypeError(`basic_auth: ${join(directory, 'basic-auth-password')} is empty`)
  return credentials
}
