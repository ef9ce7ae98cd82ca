// Faults that a test asks for, as guard hooks around a command: `parameter.behaviour` says what it is to suffer.
//
// The words are bakeoff's (docs/domain-faults.md). Services of your own need nothing of this.

import { setTimeout as sleep } from 'node:timers/promises'
import { HandledError, StatusCode } from '@purista/core'
import { noteAttempt } from './effect.js'

function spoken(parameter) {
  const [word, seconds] = (parameter.behaviour ?? 'ok').split(':')
  return { word, ms: Number(seconds ?? 0) * 1000 }
}

/** Before the effect: the attempt is noted, then what is asked for happens. */
export async function beforeEffect(context, payload, parameter) {
  const { receiver } = context.message
  noteAttempt(context.resources.ledger, receiver, payload.orderId ?? payload.sku, parameter.key)
  const { word, ms } = spoken(parameter)
  if (word === 'decline') {
    throw new HandledError(StatusCode.Conflict, `${receiver.serviceTarget} declined`, { orderId: payload.orderId })
  }
  if (word === 'fault') {
    throw new Error(`${receiver.serviceTarget} failed`)
  }
  if (word === 'slow') {
    await sleep(ms)
  }
}

/** After the effect, before the answer. */
export async function afterEffect(context, _result, _payload, parameter) {
  const { word, ms } = spoken(parameter)
  if (word === 'unknown') {
    throw new Error(`${context.message.receiver.serviceTarget}: no answer, the outcome is unknown`)
  }
  if (word === 'late') {
    await sleep(ms)
  }
}
