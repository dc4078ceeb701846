import { readFileSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** What Node's diagnostic report tells of a process that V8 has given up. */
export interface ProcessReport {
  /** `Allocation failed - JavaScript heap out of memory`, for one. */
  event: string
  /** Empty where V8 could not tell it any more, as for want of memory. */
  stack: string
}

/** What Node writes in place of a stack. */
const noFrames = 'Unavailable.'

/** Flags that make a Node process leave a report in this file when V8 ends it. */
export function reportFlags(path: string): string[] {
  return [
    '--report-on-fatalerror',
    `--report-directory=${dirname(path)}`,
    `--report-filename=${basename(path)}`,
    '--report-compact',
    '--report-exclude-network',
    '--report-exclude-env',
  ]
}

/** Takes the report that lies at a path; null when there is none. */
export function takeReport(path: string): ProcessReport | null {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as {
      header: { event: string }
      javascriptStack?: { stack?: string[] }
    }
    rmSync(path, { force: true })
    const frames = (report.javascriptStack?.stack ?? []).filter((frame) => frame !== noFrames)
    return { event: report.header.event, stack: frames.map((frame) => `    ${frame}`).join('\n') }
  } catch {
    return null
  }
}
