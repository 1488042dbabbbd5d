// The tables of the shop. As in the paper's application, each operation opens a connection of its own.

import { createConnection } from 'mariadb'

const { host, port, user, password, database } = JSON.parse(process.env['DATABASE'] ?? '{}')

/** Resolves with the rows, or with what became of a statement. */
export async function query(sql, values = []) {
  const connection = await createConnection({ host, port, user, password, database })
  try {
    return await connection.query(sql, values)
  } finally {
    await connection.end()
  }
}
