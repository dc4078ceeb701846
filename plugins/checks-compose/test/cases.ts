import type { Cases } from './cases/files.ts'
import { operationCases } from './cases/operation.ts'
import { structureCases } from './cases/structure.ts'

/** More than the examples of the docs, by rule. */
export const cases: Cases = { ...structureCases, ...operationCases }
