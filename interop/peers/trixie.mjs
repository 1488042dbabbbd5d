// Programs of Debian 13 on a machine that is older: its packages and what they need, down to the C library, unpacked in a
// directory of their own. Nothing is installed.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const SOURCE =
  'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n'
const MULTIARCH = 'x86_64-linux-gnu'
/** Those of all peers, since most of what is fetched are lists and what they need in common. */
const PACKAGES = ['ngtcp2-client', 'ngtcp2-server', 'nginx', 'curl']

/** Returns the directory in which they are unpacked; quick when that was done before. */
export function unpackPackages(cache) {
  const root = join(cache, 'peers', 'trixie')
  if (existsSync(root)) return root
  const work = `${root}.part`
  rmSync(work, { recursive: true, force: true })
  const archives = download(work)
  const unpacked = join(work, 'root')
  mkdirSync(unpacked)
  for (const file of readdirSync(archives).filter(each => each.endsWith('.deb'))) {
    run('dpkg-deb', '--extract', join(archives, file), unpacked)
  }
  renameSync(unpacked, root)
  rmSync(work, { recursive: true })
  return root
}

/** apt with a state of its own, in which nothing is installed: so it fetches everything, and checks the signatures. */
function download(work) {
  const path = (...parts) => join(work, ...parts)
  for (const directory of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(path(directory), { recursive: true })
  }
  writeFileSync(path('sources.list'), SOURCE)
  writeFileSync(path('status'), '')
  const settings = {
    'Dir::Etc::sourcelist': path('sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State': path('state'),
    'Dir::State::status': path('status'),
    'Dir::Cache': path('cache'),
    'Acquire::Languages': 'none',
  }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const apt = (...args) => run('apt-get', '-qq', ...options, ...args)
  apt('update')
  apt('install', '--yes', '--download-only', '--no-install-recommends', ...PACKAGES)
  return path('cache', 'archives')
}

/** A command that runs a program in such a directory, with its own libraries. */
export function commandIn(root, program, args) {
  const libraries = [join(root, 'usr/lib', MULTIARCH), join(root, 'lib', MULTIARCH)].filter(existsSync)
  const loader = join(libraries[0], 'ld-linux-x86-64.so.2')
  return { file: loader, args: ['--library-path', libraries.join(':'), join(root, program), ...args] }
}

/** The upstream version of a package that was unpacked. */
export function versionIn(root, name) {
  const changelog = gunzipSync(readFileSync(join(root, 'usr/share/doc', name, 'changelog.Debian.gz'))).toString()
  return /\(([\d.]+)/.exec(changelog)[1]
}

export function run(command, ...args) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', env: environment, timeout: 300_000 }
  return execFileSync(command, args, options)
}
