// Cert Info: whose certificate a host shows, and until when. The body is `host:port`.

import { connect } from 'node:tls'

export async function fetch(request) {
  const [host, port = '443'] = (await request.text()).trim().split(':')
  const { issuer, subject, valid_from: from, valid_to: to } = await certificateOf(host, Number(port))
  const answer = { host, issuer: issuer.CN, commonName: subject.CN, from, to }
  return { headers: [['content-type', 'application/json']], body: JSON.stringify(answer) }
}

/** What it shows is what is asked for: it need not be good. */
function certificateOf(host, port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate())
      socket.destroy()
    })
    socket.once('error', reject)
  })
}
