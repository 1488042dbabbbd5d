// nginx (Debian 13) as a server, on a library of TLS that knows nothing of QUIC, and so without early data.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandIn, unpackPackages, versionIn } from './trixie.mjs'

const CASES = [
  'handshake',
  'transfer',
  'chacha20',
  'retry',
  'resumption',
  'http3',
  'multiconnect',
  'helloretry',
  'upload',
]
let root

export const nginx = {
  name: 'nginx',
  alpn: { client: [], server: ['hq-interop', 'h3'] },

  install(cache) {
    root = unpackPackages(cache)
    return versionIn(root, 'nginx-common')
  },

  client: () => undefined,

  server(testcase, context) {
    if (!CASES.includes(testcase)) return undefined
    const file = join(context.logs, 'nginx.conf')
    writeFileSync(file, configuration(testcase, context))
    return { ...commandIn(root, 'usr/sbin/nginx', ['-p', context.logs, '-e', 'stderr', '-c', file]), env: {} }
  },
}

function configuration(testcase, { port, www, downloads, certs }) {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
master_process off;
user root;
pid nginx.pid;
error_log stderr info;
events {}
http {
  access_log off;
  default_type application/octet-stream;
  ${places.map(name => `${name}_temp_path ${name};`).join('\n  ')}
  server {
    # Of each family one: of a socket for both, nginx would let the kernel cut datagrams over IPv4 into fragments.
    listen ${port} quic reuseport;
    listen [::]:${port} quic reuseport ipv6only=on;
    http3 on;
    http3_hq on;
    # It takes another id of the client for every path, and gives none back.
    quic_active_connection_id_limit 8;
    quic_retry ${testcase === 'retry' ? 'on' : 'off'};
    keepalive_requests 10000;
    ssl_protocols TLSv1.3;
    ssl_certificate ${certs}/cert.pem;
    ssl_certificate_key ${certs}/priv.key;
    ssl_ecdh_curve ${testcase === 'helloretry' ? 'secp384r1' : 'auto'};
    root ${testcase === 'upload' ? downloads : www};
    dav_methods PUT;
    client_max_body_size 0;
  }
}
`
}
