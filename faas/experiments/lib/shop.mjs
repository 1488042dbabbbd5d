// What Hello, Retail! needs besides its functions: MariaDB with a data directory of its own, and somebody who takes mail.
// Both are on the machine of the gateway, so that functions reach them over the link.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const DATABASE_PORT = 33_061
const ACCOUNT = { user: 'retail', password: 'retail', database: 'retail' }

const TABLES = `
CREATE DATABASE IF NOT EXISTS retail;
CREATE USER IF NOT EXISTS 'retail'@'%' IDENTIFIED BY 'retail';
GRANT ALL ON retail.* TO 'retail'@'%';
CREATE TABLE retail.products (id VARCHAR(40) PRIMARY KEY, category VARCHAR(40), name VARCHAR(80), price INT, KEY (category));
CREATE TABLE retail.photographers (id VARCHAR(40) PRIMARY KEY, mail VARCHAR(80), assignments INT);
CREATE TABLE retail.assignments (product VARCHAR(40) PRIMARY KEY, photographer VARCHAR(40), state VARCHAR(20));
CREATE TABLE retail.photos (product VARCHAR(40) PRIMARY KEY, photo TEXT);
CREATE TABLE retail.cards (user VARCHAR(40) PRIMARY KEY, number VARCHAR(20), credit INT);
INSERT INTO retail.products VALUES ('1', 'toys', 'a ball', 5), ('2', 'toys', 'a kite', 12), ('3', 'books', 'a book', 20);
INSERT INTO retail.photographers VALUES ('ann', 'ann@shop.test', 0), ('bob', 'bob@shop.test', 0);
INSERT INTO retail.cards VALUES ('eve', '4000000000000000', 1000000000);
`

export class Shop {
  #directory = mkdtempSync(join(tmpdir(), 'retail-'))
  #server
  #mail
  #network

  static async open(network) {
    const shop = new Shop()
    shop.#network = network
    process.once('exit', () => shop.#clear())
    try {
      await shop.#openDatabase()
      shop.#mail = network.machine('gateway', 'mail.mjs')
      await shop.#mail.ask({ verb: 'listen', host: network.addresses.gateway, port: MAIL_PORT })
    } catch (error) {
      await shop.close()
      throw error
    }
    return shop
  }

  /** Environment of the functions. */
  get environment() {
    const host = this.#network.addresses.gateway
    return {
      DATABASE: JSON.stringify({ host, port: DATABASE_PORT, ...ACCOUNT }),
      MAIL: JSON.stringify({ host, port: MAIL_PORT }),
    }
  }

  /** What it is, for the conditions of a result. */
  get version() {
    return execFileSync('mariadbd', ['--version'], { encoding: 'utf8' }).trim()
  }

  async close() {
    if (this.#server !== undefined && this.#server.exitCode === null) {
      const gone = new Promise(resolve => this.#server.once('exit', resolve))
      this.#server.kill('SIGTERM')
      await gone
    }
    this.#clear()
  }

  #clear() {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #openDatabase() {
    const data = join(this.#directory, 'data')
    const init = join(this.#directory, 'init.sql')
    writeFileSync(init, TABLES)
    try {
      execFileSync('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--user=root', '--skip-test-db'], {
        stdio: 'ignore',
      })
    } catch (error) {
      throw new Error('fig10 needs MariaDB: apt-get install mariadb-server', { cause: error })
    }
    const socket = join(this.#directory, 'socket')
    this.#server = this.#network.spawn('gateway', 'mariadbd', [
      '--no-defaults',
      '--user=root',
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--pid-file=${join(this.#directory, 'pid')}`,
      `--port=${DATABASE_PORT}`,
      '--bind-address=0.0.0.0',
      '--skip-name-resolve',
      // What is written is not kept longer than this.
      '--innodb-flush-log-at-trx-commit=0',
      `--init-file=${init}`,
    ])
    await this.#untilOpen(socket)
  }

  async #untilOpen(path) {
    while (!(await accepts(path))) {
      if (this.#server.exitCode !== null) throw new Error(`mariadbd ended with ${this.#server.exitCode}`)
      await sleep(50)
    }
  }
}

const MAIL_PORT = 2525

function accepts(path) {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
