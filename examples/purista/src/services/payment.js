// PaymentService: charges the order's total. For an order on credit it asks CreditService first: a command of
// another service, which may be written in any language.

import { HandledError, ServiceBuilder, StatusCode } from '@purista/core'
import { z } from 'zod'
import { change, describeOrder, effect, keyed, orderOf, record } from '../command.js'

const NAME = 'PaymentService'

export const paymentService = new ServiceBuilder({
  serviceName: NAME,
  serviceVersion: '1',
  serviceDescription: 'charges and refunds',
}).defineResource()

const charge = z.object({ orderId: z.string(), chargeId: z.string(), amountMinor: z.int() })
const refund = z.object({ orderId: z.string(), chargeId: z.string() }).nullable()

const charged = effect((ledger, { orderId }) => {
  const { lines, cardLimitMinor } = orderOf(ledger, orderId)
  const amountMinor = lines.reduce((sum, one) => sum + one.quantity * one.unitPriceMinor, 0)
  if (cardLimitMinor !== undefined && amountMinor > cardLimitMinor) {
    const data = { orderId, amountMinor, cardLimitMinor }
    throw new HandledError(StatusCode.PaymentRequired, `the card of order ${orderId} is declined`, data)
  }
  return { orderId, chargeId: record(ledger, NAME, orderId, 'charge', 'captured'), amountMinor }
})

const processPayment = keyed(
  paymentService
    .getCommandBuilder('processPayment', 'charge an order', 'paymentProcessed')
    .canInvoke('CreditService', '1', 'checkCredit', z.object({ approvedBy: z.string() })),
  charge)
  .setCommandFunction(async function (context, payload, parameter) {
    const { orderId } = payload
    if (orderOf(context.resources.ledger, orderId).onCredit) {
      // It declines by an error of its own, which is handed on to the caller.
      await context.service.CreditService['1'].checkCredit({ orderId }, { key: `${parameter.key}:credit` })
    }
    return charged.call(this, context, payload, parameter)
  })

const refundPayment = keyed(
  paymentService.getCommandBuilder('refundPayment', 'give a charge back'), refund)
  .setCommandFunction(effect((ledger, { orderId }) => {
    return { orderId, chargeId: change(ledger, orderId, 'charge', 'captured', 'refunded') }
  }))

paymentService.addCommandDefinition(
  processPayment.getDefinition(), refundPayment.getDefinition(), describeOrder(paymentService))
