// The commands and their flags in one table: what is parsed is what --help shows.

export interface Flag {
  readonly name: string
  readonly short?: string
  /** How the value is called in the help; without one the flag is a switch. */
  readonly value?: string
  readonly help: string
}

export interface Command {
  readonly name: string
  readonly usage: string
  readonly summary: string
  readonly notes: readonly string[]
  readonly flags: readonly Flag[]
}

const help: Flag = { name: 'help', short: 'h', help: 'show this help' }
const qlog: Flag = { name: 'qlog', value: 'DIR', help: 'write a qlog file for each connection' }
const cipherSuites: Flag = {
  name: 'cipher-suites',
  value: 'A,B',
  help: 'TLS cipher suites, best first: TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256',
}

export const serveCommand: Command = {
  name: 'serve',
  usage: 'zerotrip serve (--cert FILE --key FILE | --self-signed) [options]',
  summary: 'serve the files of a directory over HTTP/3 and HTTP/0.9',
  notes: [
    'Prints one line when it is ready. SIGINT or SIGTERM ends it gracefully: answers begun are finished, for up to ten',
    'seconds; a second one ends it at once.',
  ],
  flags: [
    { name: 'port', short: 'p', value: 'N', help: 'UDP port, default 4433; 0 for any free one' },
    { name: 'host', value: 'ADDRESS', help: 'IP address to bind, default all of this machine' },
    { name: 'root', value: 'DIR', help: 'what to serve, default the current directory' },
    { name: 'cert', value: 'FILE', help: 'certificate chain, PEM, leaf first' },
    { name: 'key', value: 'FILE', help: 'private key of the leaf, PEM' },
    { name: 'self-signed', help: 'make a certificate for localhost and print its pin; for development' },
    { name: 'alpn', value: 'A,B', help: 'protocols: h3, hq-interop; default both' },
    { name: 'retry', help: 'prove the address of each new client with a Retry' },
    { name: 'early', help: 'take 0-RTT requests of clients that come back (GET and HEAD), each once' },
    qlog,
    cipherSuites,
    help,
  ],
}

export const getCommand: Command = {
  name: 'get',
  usage: 'zerotrip get URL... [options]',
  summary: 'fetch https: URLs over HTTP/3 or HTTP/0.9',
  notes: [
    'URLs of one origin share a connection. With -o they are fetched side by side; without it the contents go to',
    'standard output, one after another, and what there is to say goes to standard error.',
  ],
  flags: [
    { name: 'output', short: 'o', value: 'DIR', help: 'save into this directory, under the last part of the path' },
    { name: 'ca', value: 'FILE', help: 'certificate authorities to trust, PEM; default those of Node' },
    { name: 'pin', value: 'SHA256', help: 'trust this public key (hex or base64), nothing else' },
    { name: 'insecure', help: 'trust anybody; for tests' },
    { name: 'session', value: 'FILE', help: 'resume with the tickets in it, and keep new ones there' },
    { name: 'early', help: 'send the requests as 0-RTT data if the session file allows; they may be replayed' },
    { name: 'alpn', value: 'NAME', help: 'h3 (default) or hq-interop' },
    { name: 'timeout', value: 'S', help: 'give up after so many seconds; default 10 to connect, then 30 of silence' },
    { name: 'json', help: 'report as one JSON object' },
    qlog,
    cipherSuites,
    help,
  ],
}

export const commands: readonly Command[] = [serveCommand, getCommand]

/** `zerotrip --help`. */
export function overview(): string {
  const width = Math.max(...commands.map(command => command.name.length))
  return lines([
    'zerotrip: QUIC and HTTP/3',
    '',
    'usage:',
    ...commands.map(command => `  ${command.usage}`),
    '  zerotrip help COMMAND',
    '  zerotrip --version',
    '',
    'commands:',
    ...commands.map(command => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    ...endings,
  ])
}

/** `zerotrip help COMMAND`. */
export function helpOf(command: Command): string {
  const left = command.flags.map(flagText)
  const width = Math.max(...left.map(text => text.length))
  return lines([
    `usage: ${command.usage}`,
    '',
    `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`,
    ...command.notes,
    '',
    'options:',
    ...command.flags.map((flag, i) => `  ${(left[i] as string).padEnd(width)}  ${flag.help}`),
    '',
    ...endings,
  ])
}

function flagText(flag: Flag): string {
  const short = flag.short ? `-${flag.short}, ` : '    '
  return `${short}--${flag.name}${flag.value ? ` ${flag.value}` : ''}`
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}

const endings = [
  'exit codes:',
  '  0    done',
  '  1    a request failed: status 400 or above, or a transfer that is not complete',
  '  2    the command line makes no sense',
  '  3    no connection, or the handshake failed',
  '  4    something local failed: a file, a directory, a port',
  '  130  interrupted',
  '',
  'environment:',
  '  SSLKEYLOGFILE        append the secrets of every connection to this file, for packet analysers',
  '  NODE_EXTRA_CA_CERTS  more certificate authorities to trust, PEM',
]
