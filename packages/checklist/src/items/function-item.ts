import type { CheckItemFault, CheckItemFunction } from '@havn/model'
import type { FindingReport, SourcePlace, SourceTree } from '@havn/plugin-api'
import { SourceText } from '../source/source-text.ts'
import type { ItemScope } from './rules-of-items.ts'

/** Runs code of one's own, and tells of its faults at the places that it names. */
export async function runFunctionItem(
  run: CheckItemFunction,
  input: { scope: ItemScope; report(finding: FindingReport): void; signal: AbortSignal },
): Promise<void> {
  const { tree, environment, files } = input.scope
  const faults: CheckItemFault[] = []
  await run({
    root: tree.root,
    environment,
    read: (file) => tree.read(file),
    files: async () => files,
    report: (fault) => void faults.push(fault),
    signal: input.signal,
  })
  for (const { message, hint, file, line } of faults) {
    const place = file === undefined ? undefined : await placeOf(tree, file, line ?? 1)
    input.report({ message, ...(hint !== undefined && { hint }), ...(place && { place }) })
  }
}

async function placeOf(tree: SourceTree, file: string, line: number): Promise<SourcePlace> {
  const text = await tree.read(file)
  if (text === null) throw new Error(`It names the file ${file}, which the project does not have`)
  const count = text.split('\n').length
  if (!(line >= 1 && line <= count)) throw new Error(`It names line ${line} of ${file}, which has ${count}`)
  return new SourceText(file, text).placeOfLine(line)
}
