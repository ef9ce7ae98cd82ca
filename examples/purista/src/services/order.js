// OrderService: creates orders, so that the others know what is in them, cancels and closes them.

import { HandledError, ServiceBuilder, StatusCode } from '@purista/core'
import { z } from 'zod'
import { describeOrder, effect, keyed, ofOrder, orderOf, record } from '../command.js'

const NAME = 'OrderService'

const line = z.object({
  sku: z.string().min(1),
  quantity: z.int().positive(),
  unitPriceMinor: z.int().positive(),
})

/** `cardLimitMinor`: what the customer's card is good for; `onCredit`: somebody else is asked first. */
export const order = z.object({
  orderId: z.string().min(1),
  lines: z.array(line).min(1),
  cardLimitMinor: z.int().optional(),
  onCredit: z.boolean().optional(),
})

export const orderService = new ServiceBuilder({
  serviceName: NAME,
  serviceVersion: '1',
  serviceDescription: 'creates orders, cancels and closes them',
}).defineResource()

const createOrder = keyed(
  orderService.getCommandBuilder('createOrder', 'remember what a customer wants', 'orderCreated'), ofOrder, order)
  .setCommandFunction(effect(keep))

export function keep(ledger, one) {
  if (ledger.first('SELECT 1 FROM orders WHERE order_id = ?', one.orderId)) {
    throw new HandledError(StatusCode.Conflict, `there is an order '${one.orderId}' already`, { orderId: one.orderId })
  }
  ledger.run('INSERT INTO orders (order_id, body) VALUES (?, ?)', one.orderId, JSON.stringify(one))
  return { orderId: one.orderId }
}

/** The last of all undos, because the others read the order. */
const cancelOrder = keyed(
  orderService.getCommandBuilder('cancelOrder', 'take an order out of the books again', 'orderCancelled'), ofOrder)
  .setCommandFunction(effect((ledger, { orderId }) => {
    ledger.run('DELETE FROM orders WHERE order_id = ?', orderId)
    return { orderId }
  }))

const closeOrder = keyed(
  orderService.getCommandBuilder('closeOrder', 'nothing more is to come', 'orderClosed'), ofOrder)
  .setCommandFunction(effect((ledger, { orderId }) => {
    orderOf(ledger, orderId)
    record(ledger, NAME, orderId, 'closing', 'done')
    return { orderId }
  }))

orderService.addCommandDefinition(
  createOrder.getDefinition(), cancelOrder.getDefinition(), closeOrder.getDefinition(), describeOrder(orderService))
