import { defineRule, manifests } from '@havn/checklist'
import type { CheckRule, Confidence, Severity, SourcePlace } from '@havn/plugin-api'
import { deployment, type Example } from './examples.ts'
import { containersOf, type WorkloadContainer } from './walk.ts'

/** What is told of a rule that looks at one container at a time. */
export interface ContainerRule {
  id: string
  title: string
  severity: Severity
  confidence?: Confidence
  hint: string
  references: readonly string[]
  what: string
  why: string
  bad: Example
  good: Example
  /** Faults of a container; without a place, they are told at its name. */
  check(container: WorkloadContainer): readonly ContainerFault[]
}

export interface ContainerFault {
  message: string
  place?: SourcePlace
  severity?: Severity
}

export function containerRule(told: ContainerRule): CheckRule<{ manifests: typeof manifests }> {
  const { id, title, severity, confidence = 'certain', hint, references, what, why } = told
  return defineRule({
    id,
    title,
    severity,
    confidence,
    hint,
    references,
    docs: { what, why, bad: deployment(told.bad), good: deployment(told.good), language: 'yaml' },
    needs: { manifests },
    check({ facts, report }) {
      for (const each of containersOf(facts.manifests))
        for (const fault of told.check(each))
          report({ ...fault, place: fault.place ?? each.container.place, resource: each.object.resource })
    },
  })
}

/** One fault where it is so, none elsewhere. */
export function when(
  isSo: boolean,
  message: string,
  place?: SourcePlace,
  severity?: Severity,
): ContainerFault[] {
  return isSo ? [{ message, place, severity }] : []
}
