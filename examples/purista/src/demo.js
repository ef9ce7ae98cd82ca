// The demonstration orders of `bakeoff up`, once per ledger.

import { stockUp } from './services/inventory.js'
import { keep } from './services/order.js'

const PRICES = { mug: 650, teapot: 2400, scone: 180 }
const ORDERS = {
  'order-123': { mug: 2, teapot: 1 },
  'order-124': { mug: 1, scone: 6 },
  'order-125': { mug: 1, scone: 100_000 },
  'order-126': { teapot: 2 },
  'order-127': { scone: 12 },
  'order-128': { mug: 4 },
  'order-129': { teapot: 1, scone: 4 },
}
const STOCK = { mug: 1000, teapot: 1000, scone: 10_000 }

export function fill(ledger) {
  ledger.transaction(() => {
    if (ledger.first('SELECT 1 FROM orders')) {
      return
    }
    for (const [sku, quantity] of Object.entries(STOCK)) {
      stockUp(ledger, { sku, quantity })
    }
    for (const [orderId, basket] of Object.entries(ORDERS)) {
      const lines = Object.entries(basket).map(([sku, quantity]) => ({ sku, quantity, unitPriceMinor: PRICES[sku] }))
      keep(ledger, { orderId, lines })
    }
  })
}
