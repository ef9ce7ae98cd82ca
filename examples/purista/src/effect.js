// Effects that happen once, however often their command comes: by idempotency key, with tombstones.
//
// The caller gives a key with every command, the same in every attempt. A compensation whose action has had no
// effect does nothing and leaves a tombstone under the action's key: an action that comes late is declined.

import { HandledError, StatusCode } from '@purista/core'

const [ACTION, COMPENSATION] = [':action', ':compensation']

/** Note that a command was taken, whatever becomes of it; `about`: an order or a stock code. */
export function noteAttempt(ledger, { serviceName, serviceTarget }, about, key) {
  ledger.run(
    'INSERT INTO attempts (service, command, about, key, pid) VALUES (?, ?, ?, ?, ?)',
    serviceName, serviceTarget, about, key, process.pid,
  )
}

/** Apply an effect under its key, or return what it returned when it was applied. */
export function once(ledger, { serviceName, serviceTarget }, about, key, effect) {
  const write = (at, kind, result) =>
    ledger.run(
      'INSERT INTO effects (service, command, about, key, kind, result, pid) VALUES (?, ?, ?, ?, ?, ?, ?)',
      serviceName, serviceTarget, about, at, kind, JSON.stringify(result), process.pid,
    )
  return ledger.transaction(() => {
    const known = ledger.first('SELECT kind, result FROM effects WHERE key = ?', key)
    if (known?.kind === 'tombstone') {
      const message = `${serviceTarget} for ${about} was compensated before it ran`
      throw new HandledError(StatusCode.Conflict, message, { type: 'TombstoneError', about })
    }
    if (known) {
      return JSON.parse(known.result)
    }
    const undone = key.endsWith(COMPENSATION) ? key.slice(0, -COMPENSATION.length) + ACTION : undefined
    if (undone && !ledger.first("SELECT 1 FROM effects WHERE key = ? AND kind = 'effect'", undone)) {
      write(key, 'nothing', null)
      write(undone, 'tombstone', null)
      return null
    }
    const result = effect()
    write(key, 'effect', result)
    return result
  })
}

/** What a service has seen about an order and done about it, and which records it keeps of it. */
export function history(ledger, serviceName, orderId) {
  const of = 'WHERE service = ? AND about = ? ORDER BY seq'
  const effects = ledger.all(`SELECT command, kind, result, pid FROM effects ${of}`, serviceName, orderId)
  return {
    orderId,
    attempts: ledger.all(`SELECT command, pid FROM attempts ${of}`, serviceName, orderId).map(one => ({ ...one })),
    effects: effects.map(one => ({ ...one, result: JSON.parse(one.result) })),
    records: ledger
      .all('SELECT kind, record_id, state FROM records WHERE service = ? AND order_id = ?', serviceName, orderId)
      .map(one => ({ kind: one.kind, recordId: one.record_id, state: one.state })),
  }
}
