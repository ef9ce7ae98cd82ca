// An event bridge for PURISTA over NATS: ours, because PURISTA's own is not on npm.
//
// It fulfils the contract `EventBridge` of `@purista/core` and speaks the wire format of PURISTA's bridge: core
// NATS, at most once. What it does not do: streams, durable subscriptions, headers.

import { connect, errors } from '@nats-io/transport-node'
import {
  createErrorResponse,
  createInfoMessage,
  EBMessageType,
  EventBridgeBaseClass,
  EventBridgeCommandTransport,
  getNewCorrelationId,
  getNewEBMessageId,
  HandledError,
  isCommand,
  serializeOtp,
  StatusCode,
  UnhandledError,
} from '@purista/core'
import { queueGroup, subjectFor, subjectOf } from './subjects.js'

const COMMANDS = 'PURISTA_QUEUE'
const SUBSCRIPTIONS = 'PURISTA_SUBSCRIPTION'
const RECONNECT_MS = 200
/** What is being handled gets so long when the bridge is taken down. */
const LAST_MS = 8000

export class NatsBridge extends EventBridgeBaseClass {
  #connection
  #prefix
  #servers
  #subscriptions = new Map()

  /** `servers`: URL of NATS; `prefix`: of every subject. Both besides what every bridge of PURISTA takes. */
  constructor({ servers, prefix = 'purista', ...config }) {
    super('BakeoffNatsBridge', config)
    this.#servers = servers
    this.#prefix = prefix
    const { commandHandling } = this.capabilities
    this.capabilities = {
      ...this.capabilities,
      commandHandling: { ...commandHandling, transport: EventBridgeCommandTransport.RequestReply },
    }
  }

  async start() {
    await super.start()
    const { username, password, host, protocol } = new URL(this.#servers)
    this.#connection = await connect({
      servers: host,
      tls: protocol === 'tls:' ? {} : undefined,
      user: username ? decodeURIComponent(username) : undefined,
      pass: password ? decodeURIComponent(password) : undefined,
      name: this.instanceId,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
    })
    this.logger.info({ server: this.#connection.getServer() }, 'connected')
  }

  async isReady() {
    return this.#connection !== undefined && !this.#connection.isClosed()
  }

  async isHealthy() {
    return this.isReady()
  }

  // -- messages out ----------------------------------------------------------------------------------

  async emitMessage(message) {
    const complete = Object.freeze({
      ...message,
      id: getNewEBMessageId(),
      timestamp: Date.now(),
      otp: serializeOtp(),
    })
    this.#publish(complete)
    return complete
  }

  async invoke(input, patienceMs = this.defaultCommandTimeout) {
    const command = Object.freeze({
      ...input,
      messageType: EBMessageType.Command,
      id: getNewEBMessageId(),
      correlationId: getNewCorrelationId(),
      timestamp: Date.now(),
      otp: serializeOtp(),
      sender: { ...input.sender, instanceId: this.instanceId },
    })
    const answer = await this.#asked(command, patienceMs)
    if (answer.messageType === EBMessageType.CommandSuccessResponse) {
      return answer.payload
    }
    throw answer.isHandledError ? HandledError.fromMessage(answer) : UnhandledError.fromMessage(answer)
  }

  async #asked(command, timeout) {
    try {
      const reply = await this.#connection.request(subjectOf(this.#prefix, command), written(command), { timeout })
      return reply.json()
    } catch (error) {
      const { serviceName, serviceVersion, serviceTarget } = command.receiver
      const name = `${serviceName}.${serviceVersion}.${serviceTarget}`
      if (error instanceof errors.RequestError && error.isNoResponders()) {
        throw new UnhandledError(StatusCode.BadGateway, `nobody serves ${name}`, undefined, command.traceId)
      }
      if (error instanceof errors.TimeoutError) {
        const said = `${name} did not answer within ${timeout} ms`
        throw new UnhandledError(StatusCode.GatewayTimeout, said, undefined, command.traceId)
      }
      throw UnhandledError.fromError(error, StatusCode.InternalServerError, undefined, command.traceId)
    }
  }

  #publish(message) {
    this.#connection.publish(subjectOf(this.#prefix, message), written(message))
  }

  // -- messages in -----------------------------------------------------------------------------------

  async registerCommand(address, handler, metadata) {
    const subject = subjectFor(this.#prefix, { messageType: EBMessageType.Command, receiver: address })
    const group = queueGroup(COMMANDS, address)
    await this.#listen(group, subject, group, 'command', async (message, command) => {
      if (!isCommand(command)) {
        this.logger.warn({ subject: message.subject }, 'ignored: no command')
        return
      }
      const response = await this.#answered(handler, command)
      if (message.reply) {
        message.respond(written(response))
      }
      // A successful answer that has a name is an event as well: published once more, where it can be heard.
      if (response.eventName) {
        this.#publish(response)
      }
    })
    const info = { ...address, instanceId: this.instanceId }
    await this.emitMessage(createInfoMessage(EBMessageType.InfoServiceFunctionAdded, info, { payload: metadata }))
    return group
  }

  async #answered(handler, command) {
    try {
      return await handler(command)
    } catch (error) {
      this.logger.error({ err: error }, 'a command was not handled')
      return createErrorResponse(this.instanceId, command, StatusCode.InternalServerError, error)
    }
  }

  async registerSubscription(subscription, handler) {
    const { subscriber, emitEventName, eventBridgeConfig } = subscription
    const name = queueGroup(SUBSCRIPTIONS, subscriber)
    const group = eventBridgeConfig.shared ? name : undefined
    await this.#listen(name, subjectFor(this.#prefix, subscription), group, 'subscription', async (_, event) => {
      const result = await handler(event)
      if (result && emitEventName) {
        await this.emitMessage(result)
      }
    })
    return name
  }

  async #listen(name, subject, queue, kind, take) {
    const callback = (broken, message) => {
      const handled = broken ? Promise.reject(broken) : this.runInFlight(() => take(message, read(message)), kind)
      handled.catch(error => this.logger.error({ err: error, subject }, 'a message was not handled'))
    }
    this.#subscriptions.set(name, this.#connection.subscribe(subject, { queue, callback }))
    await this.#connection.flush() // what is sent from now on is heard
  }

  async unregisterCommand(address) {
    this.#forget(queueGroup(COMMANDS, address))
  }

  async unregisterSubscription(address) {
    this.#forget(queueGroup(SUBSCRIPTIONS, address))
  }

  #forget(name) {
    this.#subscriptions.get(name)?.unsubscribe()
    this.#subscriptions.delete(name)
  }

  /** Take nothing new, answer what was taken, and let go of the server. */
  async destroy() {
    await Promise.all([...this.#subscriptions.values()].map(one => one.drain()))
    this.#subscriptions.clear()
    await this.waitForInFlightDrain(LAST_MS)
    await this.#connection?.drain()
    await super.destroy()
  }
}

function written(message) {
  return JSON.stringify(message)
}

/** A message as PURISTA means it, or why it is none. */
function read(message) {
  const envelope = message.json()
  if (typeof envelope !== 'object' || envelope === null || typeof envelope.messageType !== 'string') {
    throw new Error('not an envelope of PURISTA')
  }
  return envelope
}
