import { workerData } from 'node:worker_threads'
import { beatsOf, openCounters } from '../dispatch/counters.ts'
import { leaveBlockedNote } from './blocked-note.ts'
import { LoopWatch } from './loop-watch.ts'
import { readMainStack } from './main-stack.ts'

/** What the thread beside a process's main thread is started with. */
export interface ProcessWatchData {
  parent: number
  counters: SharedArrayBuffer
  thread: number
  blockedMs: number
  notePath: string
}

const lookMs = 500
/** Time for the process to see by itself that its parent is gone. */
const graceMs = 1_000

const { parent, counters, thread, blockedMs, notePath } = workerData as ProcessWatchData
const row = openCounters(counters, thread)
const watch = new LoopWatch({
  beats: () => beatsOf(row),
  blockedMs,
  onBlocked: async () => leaveBlockedNote(notePath, { stack: await readMainStack() }),
  // The gateway process, which hears the same heart, ends it.
  onOverrun: () => {},
})
let isWatching = false

/**
 * Does what a blocked event loop cannot: ends this process when its parent has ended (a child whose parent dies gets
 * another one, getppid(2)), and tells what the loop is blocked by.
 */
const timer = setInterval(() => {
  // The app's own start may take long in one turn.
  if (!isWatching && beatsOf(row) > 0) {
    isWatching = true
    watch.start()
  }
  if (process.ppid === parent) return
  clearInterval(timer)
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs)
}, lookMs)
