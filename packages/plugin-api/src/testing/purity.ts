import assert from 'node:assert/strict'

/** A copy that throws when somebody writes to it, at any depth. */
export function frozenCopy<Value>(value: Value): Value {
  return deepFreeze(structuredClone(value))
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}

/** Asserts that JSON keeps a value whole: no functions, dates, class instances, NaN or cycles. */
export function assertJson(value: unknown, path = 'value'): void {
  if (value === null || value === undefined) return
  if (typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number')
    return assert.ok(Number.isFinite(value), `${path} is ${value}, which JSON cannot say`)
  assert.equal(typeof value, 'object', `${path} is a ${typeof value}, which JSON cannot say`)
  const isPlain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value))
  assert.ok(
    isPlain,
    `${path} is an instance of ${(value as object).constructor?.name}, which JSON does not keep`,
  )
  for (const [key, child] of Object.entries(value as object)) assertJson(child, `${path}.${key}`)
}

/** Asserts that a function of one input is pure: it writes nothing to it, and says the same thing twice, as JSON. */
export function assertPure<Input, Output>(compute: (input: Input) => Output, input: Input): Output {
  const first = compute(frozenCopy(input))
  const second = compute(frozenCopy(input))
  assertJson(first)
  assert.deepEqual(second, first, 'the same input gave another output')
  return first
}
