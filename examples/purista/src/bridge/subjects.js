// The subjects that PURISTA's NATS bridge makes of a message's address: a prefix and twelve places.

const NOTHING = 'empty'
const WORDS = /[A-Z]{2,}(?=[A-Z][a-z]+[0-9]*|\b)|[A-Z]?[a-z]+[0-9]*|[A-Z]|[0-9]+/g

/** `InventoryService` -> `inventory_service`; lossy: `aB`, `a-b` and `a_b` collide. */
export function snakeCase(name) {
  return (String(name).match(WORDS) ?? [String(name)]).join('_').toLowerCase()
}

function subject(prefix, { messageType, principalId, tenantId, sender, eventName, receiver }, unsaid) {
  const places = [
    messageType,
    principalId,
    tenantId,
    sender?.instanceId,
    sender?.serviceName,
    sender?.serviceVersion,
    sender?.serviceTarget,
    eventName,
    receiver?.instanceId,
    receiver?.serviceName,
    receiver?.serviceVersion,
    receiver?.serviceTarget,
  ]
  return [prefix, ...places.map(place => (place ? snakeCase(place) : unsaid))].join('.')
}

/** Where a message is published. */
export function subjectOf(prefix, message) {
  return subject(prefix, message, NOTHING)
}

/** Where messages are heard that have these properties, whatever the others are. */
export function subjectFor(prefix, properties) {
  return subject(prefix, properties, '*')
}

/** Instances of a command or subscription that share its messages. */
export function queueGroup(kind, { serviceName, serviceVersion, serviceTarget }) {
  return [kind, ...[serviceName, serviceVersion, serviceTarget].map(snakeCase)].join('_').toUpperCase()
}
