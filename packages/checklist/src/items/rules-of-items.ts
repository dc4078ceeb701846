import type { CheckItem } from '@havn/model'
import type { CheckRule, SourceTree } from '@havn/plugin-api'
import { defineFact, defineRule } from '../define.ts'
import { sourceFiles } from '../facts/source-files.ts'
import { runCommandItem } from './command-item.ts'
import { loadItemFunction } from './load-item-function.ts'
import { runFunctionItem } from './function-item.ts'

/** What items of one's own are run over. */
export interface ItemScope {
  tree: SourceTree
  /** Variables that the deployment sets for its processes. */
  environment: Readonly<Record<string, string>>
  files: readonly string[]
}

const scope = defineFact<ItemScope>({
  id: 'item-scope',
  title: 'Files',
  async collect({ tree, environment, get }) {
    return { tree, environment, files: (await get(sourceFiles)) ?? [] }
  },
})

/** What items of one’s own run with. */
export interface ItemOptions {
  /** Folder that files of code are relative to. */
  directory: string
  /** Of the machine: what commands get beside the deployment's own. */
  machine: Readonly<Record<string, string>>
}

/** Rules out of the items that a configuration has. A command that can't be run, or code that throws, errors: no pass. */
export function rulesOfItems(
  items: readonly CheckItem[],
  options: ItemOptions,
): CheckRule<{ scope: typeof scope }>[] {
  return items.map((item) => {
    const { id, title, severity, timeoutMs, command, check } = item
    const hint = item.hint ?? (command === undefined ? `See to it: ${title}.` : 'See to what it says.')
    return defineRule({
      id,
      title,
      severity,
      confidence: 'certain',
      hint,
      references: [],
      docs: {
        what: `${title}.`,
        why: 'The project’s own configuration has it.',
        bad: '',
        good: '',
        language: 'text',
      },
      timeoutMs,
      needs: { scope },
      async check({ facts, report, signal }) {
        if (command !== undefined) return runCommandItem(command, { ...options, ...facts, report, signal })
        const run = typeof check === 'string' ? await loadItemFunction(check, options.directory) : check!
        return runFunctionItem(run, { scope: facts.scope, report, signal })
      },
    })
  })
}
