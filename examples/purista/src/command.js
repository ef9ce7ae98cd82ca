// What the commands of these services have in common.

import { HandledError, StatusCode } from '@purista/core'
import { z } from 'zod'
import { history, once } from './effect.js'
import { afterEffect, beforeEffect } from './faults.js'

/** What is asked; `ownResult`: in a compensation, what its action returned. */
export const ofOrder = z.object({ orderId: z.string().min(1), ownResult: z.unknown().optional() })

/** What belongs to the asking: see docs/purista.md. */
const parameter = z.object({
  key: z.string().min(1),
  workflowId: z.string().optional(),
  step: z.string().optional(),
  direction: z.enum(['action', 'compensation']).optional(),
  attempt: z.int().min(1).optional(),
  ordinal: z.int().min(1).optional(),
  behaviour: z.string().optional(),
})

/** A command that has its effect once per key: its schemas, and the places where faults are injected. */
export function keyed(builder, output, payload = ofOrder) {
  return builder
    .addPayloadSchema(payload)
    .addParameterSchema(parameter)
    .addOutputSchema(output)
    .setBeforeGuardHooks({ beforeEffect })
    .setAfterGuardHooks({ afterEffect })
}

/** Its effect: `work` gets the ledger and the payload, inside one transaction. */
export function effect(work) {
  return async function (context, payload, { key }) {
    const { ledger } = context.resources
    const about = payload.orderId ?? payload.sku
    return once(ledger, context.message.receiver, about, key, () => work(ledger, payload))
  }
}

/** `describeOrder` of a service: what it has seen of an order, and done. */
export function describeOrder(service) {
  return service
    .getCommandBuilder('describeOrder', 'what this service knows of an order')
    .addPayloadSchema(ofOrder)
    .addOutputSchema(
      z.object({
        orderId: z.string(),
        attempts: z.array(z.object({ command: z.string(), pid: z.int() })),
        effects: z.array(
          z.object({ command: z.string(), kind: z.string(), result: z.unknown(), pid: z.int() })),
        records: z.array(z.object({ kind: z.string(), recordId: z.string(), state: z.string() })),
      }),
    )
    .setCommandFunction(async function (context, { orderId }) {
      return history(context.resources.ledger, context.message.receiver.serviceName, orderId)
    })
    .getDefinition()
}

// -- what the ledger holds ---------------------------------------------------------------------------------

/** An order that was taken; a service that has never heard of it declines. */
export function orderOf(ledger, orderId) {
  const row = ledger.first('SELECT body FROM orders WHERE order_id = ?', orderId)
  if (!row) {
    throw new HandledError(StatusCode.NotFound, `there is no order '${orderId}'`, { orderId })
  }
  return JSON.parse(row.body)
}

/** `[[sku, units], ...]`, lines of one stock code added up. */
export function basketOf(ledger, orderId) {
  const units = new Map()
  for (const { sku, quantity } of orderOf(ledger, orderId).lines) {
    units.set(sku, (units.get(sku) ?? 0) + quantity)
  }
  return [...units].sort()
}

/** Put down a numbered record of a service about an order; its id. */
export function record(ledger, service, orderId, kind, state) {
  const { taken } = ledger.first(
    'SELECT count(*) AS taken FROM records WHERE order_id = ? AND kind = ?', orderId, kind)
  const recordId = `${kind}-${orderId}-${taken + 1}`
  ledger.run(
    'INSERT INTO records (record_id, service, order_id, kind, state) VALUES (?, ?, ?, ?, ?)',
    recordId, service, orderId, kind, state)
  return recordId
}

/** Change the state of the newest record of a kind; its id, `undefined` if there is none in that state. */
export function change(ledger, orderId, kind, from, to) {
  const row = ledger.first(
    'SELECT record_id FROM records WHERE order_id = ? AND kind = ? AND state = ? ORDER BY record_id DESC',
    orderId, kind, from)
  if (row) {
    ledger.run('UPDATE records SET state = ? WHERE record_id = ?', to, row.record_id)
  }
  return row?.record_id
}
