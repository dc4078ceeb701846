import type { Fix, Finding, TextEdit } from '@havn/plugin-api'

/** What fixing will do: the new text of each file, and what it mends. */
export interface FixPlan {
  /** By file, relative to the tree's root. */
  files: ReadonlyMap<string, string>
  applied: readonly { finding: Finding; fix: Fix }[]
  /** Fixes that touch what another one changes: for the next run. */
  left: readonly { finding: Finding; fix: Fix }[]
}

/**
 * Plans the first fix of each finding that `wants` takes. A fix is applied whole or not at all; two that overlap are not
 * both applied.
 *
 * @param texts of all files that the fixes edit; a fix of another file, or beyond a file's end, is left.
 */
export function planFixes(
  findings: readonly Finding[],
  texts: ReadonlyMap<string, string>,
  wants: (fix: Fix, finding: Finding) => boolean,
): FixPlan {
  const applied: { finding: Finding; fix: Fix }[] = []
  const left: { finding: Finding; fix: Fix }[] = []
  const edits = new Map<string, TextEdit[]>()
  for (const finding of findings) {
    const fix = finding.fixes.find((each) => wants(each, finding))
    if (fix === undefined) continue
    const isFitting = fix.edits.every(
      (edit, at) => isPossible(edit, texts) && isFree(edit, edits, fix.edits.slice(0, at)),
    )
    if (!isFitting) {
      left.push({ finding, fix })
      continue
    }
    applied.push({ finding, fix })
    for (const edit of fix.edits) edits.set(edit.file, [...(edits.get(edit.file) ?? []), edit])
  }
  const files = new Map([...edits].map(([file, list]) => [file, applyEdits(texts.get(file)!, list)]))
  return { files, applied, left }
}

function isPossible({ file, start, end }: TextEdit, texts: ReadonlyMap<string, string>): boolean {
  const text = texts.get(file)
  return text !== undefined && 0 <= start && start <= end && end <= text.length
}

function isFree(
  edit: TextEdit,
  taken: ReadonlyMap<string, readonly TextEdit[]>,
  own: readonly TextEdit[],
): boolean {
  const others = [...(taken.get(edit.file) ?? []), ...own.filter(({ file }) => file === edit.file)]
  return others.every((other) => edit.end < other.start || other.end < edit.start)
}

/** From the last one back, so that offsets stay true. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = text
  for (const { start, end, text: replacement } of edits.toSorted((one, other) => other.start - one.start))
    result = result.slice(0, start) + replacement + result.slice(end)
  return result
}
