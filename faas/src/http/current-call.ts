// Which call is being answered: so that a function in this process that calls another passes its id on.

import { AsyncLocalStorage } from 'node:async_hooks'

export const currentCallId: AsyncLocalStorage<string> = new AsyncLocalStorage()
