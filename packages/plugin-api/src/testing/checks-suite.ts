import assert from 'node:assert/strict'
import type { ChecksContract, FactsNeeded } from '../kinds/checks.ts'
import { describeAnyPlugin, withPlugin } from './plugin-suite.ts'
import type { PluginSuiteOptions } from './plugin-suite.ts'

export type ChecksSuiteOptions = PluginSuiteOptions

/** The contract of packs of checks. What each rule finds, the rule tester of `@havn/checklist` shows. */
export function describeChecksPlugin(options: ChecksSuiteOptions): void {
  const { describe, it, plugin } = options
  const withPack = <Result>(use: (pack: ChecksContract) => Promise<Result>) =>
    withPlugin<'checks', Result>(options, use)

  describe(`the checks contract: ${plugin.id}`, () => {
    describeAnyPlugin(options)

    it('names its rules after itself, each another way, in what a command line can hold', () =>
      withPack(async ({ rules }) => {
        const pack = plugin.id.slice('checks.'.length)
        for (const { id } of rules) assert.match(id, new RegExp(`^${pack}\\.[a-z][a-z0-9]*(?:-[a-z0-9]+)*$`))
        assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length, 'two rules have one id')
        assert.ok(rules.length > 0, 'it has no rules')
      }))

    it('says of each rule what it finds, why, how it looks and what to do', () =>
      withPack(async ({ rules }) => {
        for (const { id, title, hint, docs } of rules) {
          for (const [name, text] of Object.entries({ title, hint, ...docs }))
            assert.ok(text.trim().length > 0, `${id} has no ${name}`)
          assert.ok(!title.endsWith('.'), `the title of ${id} is no sentence`)
          assert.notEqual(docs.bad, docs.good, `the examples of ${id} are the same`)
        }
      }))

    it('needs facts that have ids', () =>
      withPack(async ({ rules }) => {
        for (const { id, needs } of rules)
          for (const fact of Object.values(needs as FactsNeeded))
            assert.match(fact.id, /^[a-z][a-z0-9-]*$/, `a fact of ${id}`)
      }))
  })
}
