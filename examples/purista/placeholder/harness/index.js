// Stands in for `@purista/harness`, which `@purista/core` depends on and npm does not have.
//
// Core imports these four names in its AI agents only, which the services here do not use. Whoever comes to use
// one is told; nothing else of core is replaced.

function missing(name) {
  return class {
    constructor() {
      throw new Error(`@purista/harness is not on npm; ${name} of this placeholder does nothing`)
    }
  }
}

export const InMemoryStateStore = missing('InMemoryStateStore')
export const ModelCapabilityError = missing('ModelCapabilityError')
export const ModelError = missing('ModelError')
export function defineHarness() {
  return new (missing('defineHarness'))()
}
