// Other implementations of QUIC that make first requests, both ends on their own public API.

import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aioquic as aioquicPeer } from '../../interop/peers/aioquic.mjs'
import { commandIn, run, unpackPackages, versionIn } from '../../interop/peers/trixie.mjs'

const here = import.meta.dirname
const cache = join(here, '..', '..', '.cache')
const programs = join(cache, 'contenders')
/** Of answers under /bytes, where they are files (that take no room). */
const LENGTHS = [1, 1_000_000, ...[8, 24, 48, 1024].map(mebibytes => mebibytes * 2 ** 20)]

const quicGo = {
  name: 'quic-go',

  /** Returns the version; throws when there is no Go or no module. */
  install() {
    mkdirSync(programs, { recursive: true })
    const source = join(here, 'quic-go')
    run('go', 'build', '-C', source, '-p', '2', '-o', join(programs, 'quic-go'), '.')
    return /quic-go\/quic-go v(\S+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'))[1]
  },

  command: (role, address, certificates) => ({ file: join(programs, 'quic-go'), args: [role, address, certificates] }),
}

const aioquic = {
  name: 'aioquic',

  install() {
    this.version = aioquicPeer.install(cache)
    return this.version
  },

  command(role, address, certificates) {
    const python = join(cache, 'peers', `aioquic-${this.version}`, 'bin', 'python')
    return { file: python, args: [join(here, 'aioquic', 'contact.py'), role, address, certificates] }
  },
}

/** The client is a program of its own on the library of Debian 12; the server is the example in Debian 13. */
const ngtcp2 = {
  name: 'ngtcp2',

  /** Throws when its packages are not there and cannot be installed. */
  install() {
    if (!existsSync('/usr/include/ngtcp2/ngtcp2_crypto_gnutls.h')) {
      const packages = ['libngtcp2-dev', 'libngtcp2-crypto-gnutls-dev', 'libgnutls28-dev']
      if (process.getuid?.() !== 0) throw new Error(`needs the Debian packages ${packages.join(', ')}`)
      const apt = (...args) => run('apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300', ...args)
      apt('update')
      apt('install', '--yes', '--no-install-recommends', ...packages)
    }
    mkdirSync(programs, { recursive: true })
    const libraries = ['-lngtcp2_crypto_gnutls', '-lngtcp2', '-lgnutls']
    run('cc', '-O2', '-o', join(programs, 'ngtcp2'), join(here, 'ngtcp2', 'client.c'), ...libraries)
    const header = readFileSync('/usr/include/ngtcp2/version.h', 'utf8')
    const client = /NGTCP2_VERSION "(.+)"/.exec(header)[1]
    return `${client}, server ${versionIn(unpackPackages(cache), 'ngtcp2-server')}`
  },

  command(role, address, certificates) {
    if (role === 'client') return { file: join(programs, 'ngtcp2'), args: [role, address, certificates] }
    const [host, port] = address.split(':')
    const inside = (...names) => join(certificates, ...names)
    mkdirSync(inside('www', 'bytes'), { recursive: true })
    writeFileSync(inside('www', 'index.html'), Buffer.alloc(100))
    for (const length of LENGTHS) {
      const file = inside('www', 'bytes', String(length))
      writeFileSync(file, '')
      truncateSync(file, length)
    }
    // It does not start without one.
    writeFileSync(inside('mime.types'), 'application/octet-stream bin\n')
    const args = ['-q', `--mime-types-file=${inside('mime.types')}`, '-d', inside('www'), host, port]
    const keys = [inside('priv.key'), inside('cert.pem')]
    return { ...commandIn(unpackPackages(cache), 'usr/sbin/gtlsserver', [...args, ...keys]), port: Number(port) }
  },
}

const all = [quicGo, ngtcp2, aioquic]

/** Those that are there or can be had: their versions by name; and why the others cannot. */
export function installRivals() {
  const versions = {}
  const missing = {}
  for (const rival of all) {
    try {
      versions[rival.name] = rival.install()
    } catch (error) {
      missing[rival.name] = String(error?.message ?? error).split('\n')[0]
    }
  }
  return { versions, missing }
}

/** Of one that was installed, perhaps by another process. */
export function commandOf(name, version, ...end) {
  const rival = all.find(each => each.name === name)
  return rival.command.call({ version }, ...end)
}
