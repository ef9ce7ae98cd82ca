// Runs services of the order saga: `node src/main.js [SERVICE...] --ledger FILE --server nats://HOST:PORT`.

import { parseArgs } from 'node:util'
import { initLogger } from '@purista/core'
import { NatsBridge } from './bridge/nats-bridge.js'
import { fill } from './demo.js'
import { Ledger } from './ledger.js'
import { emailService } from './services/email.js'
import { inventoryService } from './services/inventory.js'
import { orderService } from './services/order.js'
import { paymentService } from './services/payment.js'
import { shippingService } from './services/shipping.js'

const SERVICES = {
  EmailService: emailService,
  InventoryService: inventoryService,
  OrderService: orderService,
  PaymentService: paymentService,
  ShippingService: shippingService,
}
/** A caller is told after this long that a service it needs does not answer. */
const PATIENCE_MS = 1500

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ledger: { type: 'string', default: 'ledger.db' },
    server: { type: 'string', default: process.env.NATS_URL ?? 'nats://127.0.0.1:4222' },
    prefix: { type: 'string', default: 'purista' },
    demo: { type: 'boolean', default: false },
    log: { type: 'string', default: 'warn' },
  },
})
const unknown = positionals.filter(name => !(name in SERVICES))
if (unknown.length) {
  console.error(`service ${unknown[0]} is not known; known: ${Object.keys(SERVICES).join(', ')}`)
  process.exit(2)
}

const logger = initLogger(values.log)
const bridge = new NatsBridge({
  servers: values.server,
  prefix: values.prefix,
  defaultCommandTimeout: PATIENCE_MS,
  logger,
})
try {
  await bridge.start()
} catch (error) {
  console.error(`no NATS answers at ${new URL(values.server).host} (${error.message})`)
  process.exit(1)
}
const ledger = new Ledger(values.ledger)
if (values.demo) {
  fill(ledger)
}
const names = positionals.length ? positionals : Object.keys(SERVICES)
const services = await Promise.all(
  names.map(name => SERVICES[name].getInstance(bridge, { logger, resources: { ledger } })))
await Promise.all(services.map(service => service.start()))
console.log(JSON.stringify({ ready: true, services: names, pid: process.pid }))

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await bridge.destroy()
    await Promise.all(services.map(service => service.destroy()))
    ledger.close()
    process.exit(0)
  })
}
