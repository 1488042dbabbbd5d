// Child processes that answer messages: each server and each client of a benchmark is one.

import { fork } from 'node:child_process'

export class Child {
  #process

  /** `execPath`: another Node than the one that runs this, or what starts it. `serialization`: as in `fork`. */
  constructor(script, parameters, { execPath = process.execPath, execArgv = [], serialization = 'json' } = {}) {
    this.#process = fork(script, parameters, { execPath, execArgv, serialization })
  }

  /** One message, one answer. */
  ask(message) {
    return new Promise((resolve, reject) => {
      const child = this.#process
      const onExit = code => reject(new Error(`${child.spawnargs.slice(1).join(' ')} ended with ${code}`))
      child.once('exit', onExit)
      child.once('message', answer => {
        child.off('exit', onExit)
        if (answer.error === undefined) resolve(answer)
        else reject(new Error(`${child.spawnargs.slice(1).join(' ')}: ${answer.error}`))
      })
      child.send(message)
    })
  }

  /** Ends it, and waits until it has ended. */
  async stop() {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    child.kill()
    await gone
  }
}

/** The other side: `answers` by the name in `message.verb`. */
export function serveParent(answers) {
  process.on('message', async message => {
    try {
      process.send((await answers[message.verb](message)) ?? {})
    } catch (error) {
      process.send({ error: String(error?.stack ?? error) })
    }
  })
  process.once('disconnect', () => process.exit(0))
}
