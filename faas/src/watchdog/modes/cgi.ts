// A request as environment variables, for functions that are a process for each request.

import { targetOf } from '../../http/handler.ts'

/** The environment of such a process: what the watchdog has itself, and `Http_…`. */
export function requestEnvironment(request: Request, base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...base }
  for (const [name, value] of request.headers) {
    // `Http_Proxy` would turn the requests that the function itself makes to whoever called it ("httpoxy").
    if (name !== 'proxy') environment[`Http_${variableOf(name)}`] = value
  }
  const target = targetOf(request)
  const query = target.indexOf('?')
  environment['Http_Method'] = request.method
  environment['Http_Path'] = query < 0 ? target : target.slice(0, query)
  if (query >= 0) environment['Http_Query'] = target.slice(query + 1)
  const length = request.headers.get('content-length')
  if (length !== null) environment['Http_ContentLength'] = length
  const coding = request.headers.get('transfer-encoding')
  if (coding !== null) environment['Http_Transfer_Encoding'] = coding
  environment['Http_Host'] = new URL(request.url).host
  return environment
}

/** `content-type` is `Content_Type`. */
function variableOf(header: string): string {
  return header
    .split('-')
    .map(part => part.charAt(0).toUpperCase() + part.slice(1))
    .join('_')
}
