// Where workers that were started elsewhere come to: GET gives one its half of fresh keys while its function starts,
// POST says that it listens. A bearer token says which one it is.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { bundleListener } from 'zerotrip/platform'
import type { WorkerBundle } from 'zerotrip/zero-rtt'
import { wholeBody } from '../http/whole-body.ts'
import { type Announcement, MAX_ANNOUNCEMENT, readAnnouncement } from '../inherited.ts'

export interface WorkerDesk {
  /** The half of the worker this token stands for, which has just been started; undefined: of none. */
  issue(token: string): Promise<WorkerBundle | undefined>
  /** It can be called. False: the token stands for none. */
  announce(token: string, announcement: Announcement): Promise<boolean>
}

export const DESK_PATH = '/credentials'

/** For a server whose clients have seen its certificate. */
export function deskListener(desk: WorkerDesk): RequestListener {
  const issue = bundleListener(token => desk.issue(token))
  return (incoming, outgoing) => {
    if (incoming.method !== 'POST') return issue(incoming, outgoing)
    take(desk, incoming).then(
      status => end(outgoing, status),
      error => end(outgoing, error instanceof TypeError || error instanceof SyntaxError ? 400 : 500),
    )
  }
}

async function take(desk: WorkerDesk, incoming: IncomingMessage): Promise<number> {
  const token = /^Bearer (\S+)$/i.exec(incoming.headers.authorization ?? '')?.[1]
  if (token === undefined) return 401
  const bytes = await wholeBody(incoming, MAX_ANNOUNCEMENT)
  if (bytes === undefined) return 413
  return (await desk.announce(token, readAnnouncement(new TextDecoder().decode(bytes)))) ? 204 : 401
}

function end(outgoing: ServerResponse, status: number): void {
  outgoing.writeHead(status, status === 401 ? { 'www-authenticate': 'Bearer' } : {}).end()
}
