import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** What a process found out about its own blocked event loop, left where its parent finds it. */
export interface BlockedNote {
  /** Null where it runs no JavaScript. */
  stack: string | null
}

/** Leaves a note; whoever reads it sees all of it or nothing. */
export function leaveBlockedNote(path: string, note: BlockedNote): void {
  writeFileSync(`${path}.new`, JSON.stringify(note), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Takes a note away; null when there is none. */
export function takeBlockedNote(path: string): BlockedNote | null {
  try {
    const note = JSON.parse(readFileSync(path, 'utf8')) as BlockedNote
    rmSync(path, { force: true })
    return note
  } catch {
    return null
  }
}
