// What the services know: one SQLite file outside of their processes, so that none of it dies with one of them.
//
// Any number of processes may share the file. Every effect is one transaction: the idempotency key is looked up,
// the effect is made and written down under its key, or nothing of it is.

import { DatabaseSync } from 'node:sqlite'

const TABLES = `
  CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS stock (
    sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL, reserved INTEGER NOT NULL, shipped INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS records (
    record_id TEXT PRIMARY KEY, service TEXT NOT NULL, order_id TEXT NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS attempts (
    seq INTEGER PRIMARY KEY, service TEXT NOT NULL, command TEXT NOT NULL, about TEXT NOT NULL,
    key TEXT NOT NULL, pid INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS effects (
    seq INTEGER PRIMARY KEY, service TEXT NOT NULL, command TEXT NOT NULL, about TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, result TEXT NOT NULL, pid INTEGER NOT NULL);
`

export class Ledger {
  #database
  #prepared = new Map()

  constructor(file) {
    this.#database = new DatabaseSync(file)
    // Other processes write as well; what is committed survives the end of all of them.
    this.#database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    this.#database.exec(TABLES)
  }

  run(sql, ...values) {
    return this.#statement(sql).run(...values)
  }

  first(sql, ...values) {
    return this.#statement(sql).get(...values)
  }

  all(sql, ...values) {
    return this.#statement(sql).all(...values)
  }

  #statement(sql) {
    if (!this.#prepared.has(sql)) {
      this.#prepared.set(sql, this.#database.prepare(sql))
    }
    return this.#prepared.get(sql)
  }

  /** Do everything or nothing; `work` must not wait for anybody, for nobody else can write meanwhile. */
  transaction(work) {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  close() {
    this.#database.close()
  }
}
