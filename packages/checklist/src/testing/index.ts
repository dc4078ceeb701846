export { checkFiles } from './check-files.ts'
export type { CheckFilesOptions } from './check-files.ts'
export { testRule } from './test-rule.ts'
export type { CaseFiles, RuleCases } from './test-rule.ts'
