// Takes mail, and keeps none.

import { SMTPServer } from 'smtp-server'
import { serveParent } from '../../../bench/lib/children.mjs'

function listen({ host, port }) {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, _session, done) => stream.resume().once('end', done),
  })
  server.on('error', error => console.error(error))
  return new Promise(resolve => server.listen(port, host, () => resolve({})))
}

serveParent({ listen })
