// InventoryService: units are on hand, reserved or shipped; a basket is reserved whole or not at all.

import { HandledError, ServiceBuilder, StatusCode } from '@purista/core'
import { z } from 'zod'
import { basketOf, describeOrder, effect, keyed } from '../command.js'

export const inventoryService = new ServiceBuilder({
  serviceName: 'InventoryService',
  serviceVersion: '1',
  serviceDescription: 'reserves goods',
}).defineResource()

const goods = z.object({ sku: z.string().min(1), quantity: z.int().positive() })
const units = z.object({ orderId: z.string(), units: z.int() })

const receiveGoods = keyed(
  inventoryService.getCommandBuilder('receiveGoods', 'put units on the shelf'), goods, goods)
  .setCommandFunction(effect(stockUp))

export function stockUp(ledger, { sku, quantity }) {
  ledger.run(
    `INSERT INTO stock (sku, on_hand, reserved, shipped) VALUES (?, ?, 0, 0)
     ON CONFLICT (sku) DO UPDATE SET on_hand = on_hand + excluded.on_hand`,
    sku, quantity)
  return { sku, quantity }
}

const reserveInventory = keyed(
  inventoryService.getCommandBuilder('reserveInventory', 'reserve a basket', 'inventoryReserved'), units)
  .setCommandFunction(effect((ledger, { orderId }) => {
    const basket = basketOf(ledger, orderId)
    const short = basket
      .map(([sku, requested]) => {
        const row = ledger.first('SELECT on_hand FROM stock WHERE sku = ?', sku)
        return { sku, requested, available: row?.on_hand ?? 0 }
      })
      .filter(one => one.available < one.requested)
    if (short.length) {
      const named = short.map(one => `${one.sku} (${one.available} of ${one.requested})`).join(', ')
      throw new HandledError(StatusCode.Conflict, `insufficient stock for ${named}`, { orderId, short })
    }
    return { orderId, units: move(ledger, basket, 'on_hand', 'reserved') }
  }))

const releaseInventory = keyed(
  inventoryService.getCommandBuilder('releaseInventory', 'put a reserved basket back'), units.nullable())
  .setCommandFunction(effect((ledger, { orderId }) => {
    return { orderId, units: move(ledger, basketOf(ledger, orderId), 'reserved', 'on_hand') }
  }))

/** Move a basket between two columns; how many units that were. */
export function move(ledger, basket, from, to) {
  for (const [sku, quantity] of basket) {
    ledger.run(`UPDATE stock SET ${from} = ${from} - ?, ${to} = ${to} + ? WHERE sku = ?`, quantity, quantity, sku)
  }
  return basket.reduce((sum, [, quantity]) => sum + quantity, 0)
}

inventoryService.addCommandDefinition(
  receiveGoods.getDefinition(), reserveInventory.getDefinition(), releaseInventory.getDefinition(),
  describeOrder(inventoryService))
