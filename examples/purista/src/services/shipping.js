// ShippingService: a shipment takes the reserved units out of the warehouse, and arrives, or does not.

import { HandledError, ServiceBuilder, StatusCode } from '@purista/core'
import { z } from 'zod'
import { basketOf, change, describeOrder, effect, keyed, ofOrder, record } from '../command.js'
import { move } from './inventory.js'

const NAME = 'ShippingService'

export const shippingService = new ServiceBuilder({
  serviceName: NAME,
  serviceVersion: '1',
  serviceDescription: 'ships goods and hears from carriers',
}).defineResource()

const shipment = z.object({ orderId: z.string(), shipmentId: z.string() })

const createShipment = keyed(
  shippingService.getCommandBuilder('createShipment', 'ship a reserved basket', 'shipmentCreated'), shipment)
  .setCommandFunction(effect((ledger, { orderId }) => {
    move(ledger, basketOf(ledger, orderId), 'reserved', 'shipped')
    return { orderId, shipmentId: record(ledger, NAME, orderId, 'shipment', 'created') }
  }))

const cancelShipment = keyed(
  shippingService.getCommandBuilder('cancelShipment', 'take a shipment back'), shipment.nullable())
  .setCommandFunction(effect((ledger, { orderId }) => {
    move(ledger, basketOf(ledger, orderId), 'shipped', 'reserved')
    return { orderId, shipmentId: change(ledger, orderId, 'shipment', 'created', 'cancelled') }
  }))

const confirmDelivery = keyed(
  shippingService.getCommandBuilder('confirmDelivery', 'the carrier says that it arrived', 'deliveryConfirmed'),
  shipment)
  .setCommandFunction(effect((ledger, { orderId }) => {
    const shipmentId = change(ledger, orderId, 'shipment', 'created', 'delivered')
    if (!shipmentId) {
      throw new HandledError(StatusCode.Conflict, `order ${orderId} has no shipment under way`, { orderId })
    }
    return { orderId, shipmentId }
  }))

/** A command that only writes down that something was done about an order. */
function noted(command, description, kind, event) {
  return keyed(shippingService.getCommandBuilder(command, description, event), ofOrder)
    .setCommandFunction(effect((ledger, { orderId }) => {
      record(ledger, NAME, orderId, kind, 'done')
      return { orderId }
    }))
}

shippingService.addCommandDefinition(
  createShipment.getDefinition(), cancelShipment.getDefinition(), confirmDelivery.getDefinition(),
  noted('remindCarrier', 'ask the carrier where the goods are', 'reminder').getDefinition(),
  noted('fileClaim', 'claim the goods from the carrier', 'claim', 'claimFiled').getDefinition(),
  describeOrder(shippingService))
