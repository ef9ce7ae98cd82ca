// EmailService: tells the customer, by command and when it hears that the goods have arrived.

import { ServiceBuilder } from '@purista/core'
import { z } from 'zod'
import { describeOrder, effect, keyed, ofOrder, orderOf, record } from '../command.js'
import { once } from '../effect.js'

const NAME = 'EmailService'

export const emailService = new ServiceBuilder({
  serviceName: NAME,
  serviceVersion: '1',
  serviceDescription: 'writes to customers',
}).defineResource()

const sent = z.object({ orderId: z.string(), messageId: z.string() })

const sendConfirmation = keyed(
  emailService.getCommandBuilder('sendConfirmation', 'say that the order is on its way'), sent)
  .setCommandFunction(effect((ledger, { orderId }) => {
    orderOf(ledger, orderId)
    return { orderId, messageId: record(ledger, NAME, orderId, 'confirmation', 'sent') }
  }))

// Events come as often as the command that they are the answer of: the order is the key.
const onDeliveryConfirmed = emailService
  .getSubscriptionBuilder('onDeliveryConfirmed', 'say that the goods have arrived')
  .subscribeToEvent('deliveryConfirmed')
  .addPayloadSchema(ofOrder)
  .addOutputSchema('customerInformed', sent)
  .setSubscriptionFunction(async function (context, { orderId }) {
    const { ledger } = context.resources
    const me = { serviceName: NAME, serviceTarget: 'onDeliveryConfirmed' }
    return once(ledger, me, orderId, `${orderId}:delivered`, () => {
      return { orderId, messageId: record(ledger, NAME, orderId, 'arrival', 'sent') }
    })
  })

emailService
  .addCommandDefinition(sendConfirmation.getDefinition(), describeOrder(emailService))
  .addSubscriptionDefinition(onDeliveryConfirmed.getDefinition())
