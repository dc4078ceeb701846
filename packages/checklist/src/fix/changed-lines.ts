import type { TextEdit } from '@havn/plugin-api'
import { applyEdits } from './plan-fixes.ts'

/** Lines of a file, before edits and after them, without the last line's end. */
export interface ChangedLines {
  file: string
  before: string
  after: string
}

/** The whole lines that edits touch; edits that touch the same lines are shown together. */
export function changedLines(
  edits: readonly TextEdit[],
  texts: ReadonlyMap<string, string>,
): readonly ChangedLines[] {
  const groups: { file: string; start: number; end: number; edits: TextEdit[] }[] = []
  for (const edit of edits.toSorted((one, other) => one.start - other.start)) {
    const text = texts.get(edit.file)
    if (text === undefined) continue
    const start = text.lastIndexOf('\n', edit.start - 1) + 1
    const next = text.indexOf('\n', edit.end)
    const end = next === -1 ? text.length : next
    const group = groups.findLast(({ file }) => file === edit.file)
    if (group !== undefined && start <= group.end) {
      group.end = Math.max(group.end, end)
      group.edits.push(edit)
    } else groups.push({ file: edit.file, start, end, edits: [edit] })
  }
  return groups.map(({ file, start, end, edits: own }) => {
    const before = texts.get(file)!.slice(start, end)
    const moved = own.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }))
    return { file, before, after: applyEdits(before, moved) }
  })
}
