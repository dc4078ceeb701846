import { defineErrors } from '@havn/model/errors'

/** The errors of the checklist: wrong use, never a fault of what is checked. */
export const errors = defineErrors({
  HAVN_ERR_CHECK_RULE_TWICE: {
    kind: 'system',
    message: (seen: { rule: string }) => `Two rules have the id "${seen.rule}".`,
    hint: 'Give one of them another id: waivers, baselines and pages go by it.',
  },
  HAVN_ERR_CHECK_RULE_UNKNOWN: {
    kind: 'user',
    message: (seen: { rule: string; where: string; nearest: string | null }) =>
      `${seen.where} names the rule "${seen.rule}", which no pack has.`,
    hint: (seen: { nearest: string | null }) =>
      seen.nearest === null
        ? 'Correct the id, or install the pack that has it.'
        : `Write "${seen.nearest}", or install the pack that has it.`,
    exit: 2,
  },
  HAVN_ERR_CHECK_OPTIONS: {
    kind: 'user',
    message: (seen: { rule: string; path: string; problem: string }) =>
      `The options of the rule ${seen.rule} are wrong${seen.path && ` at ${seen.path}`}: ${seen.problem}`,
    hint: "Correct them; the rule's page in the reference shows what it takes.",
    exit: 2,
  },
  HAVN_ERR_CHECK_ITEM_CODE: {
    kind: 'user',
    message: (seen: { file: string; problem: string }) =>
      `The check in ${seen.file} cannot be loaded: ${seen.problem}`,
    hint: 'Let its default export be a function: export default async ({ read, report }) => { … }',
  },
  HAVN_ERR_CHECK_FILE_CHANGED: {
    kind: 'user',
    message: (seen: { file: string }) => `${seen.file} has changed since it was checked: it is not fixed.`,
    hint: 'Run the check again.',
  },
  HAVN_ERR_CHECK_BASELINE: {
    kind: 'user',
    message: (seen: { file: string; problem: string }) =>
      `The baseline ${seen.file} cannot be read: ${seen.problem}`,
    hint: 'Write it anew with --write-baseline, or take it out of the configuration.',
    exit: 2,
  },
})
