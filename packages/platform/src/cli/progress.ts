import type { LifecycleEvent } from '@havn/plugin-api'
import { formatDuration, paint, type Terminal } from './terminal.ts'

/**
 * Shows steps as they happen, one line each with its time, on stderr. A person sees the running step; a log file
 * gets a line when it ends. What a step printed is shown only when it fails, as part of its error.
 */
export class Progress {
  readonly #terminal: Terminal
  #running: string | null = null

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** A line of its own, above the steps. */
  heading(text: string): void {
    this.#line(text)
  }

  /** A line of a process's own output, on stdout. The running step stays the last line that a person sees. */
  output(line: string): void {
    const running = this.#running
    this.close()
    this.#terminal.stdout.write(line + '\n')
    if (running) this.#begin(running)
  }

  onEvent = (event: LifecycleEvent): void => {
    switch (event.type) {
      case 'job.started':
        return this.#begin(event.title)
      case 'job.finished':
        return this.#end('green', '✓', event.title, formatDuration(event.durationMs))
      case 'job.skipped':
        return this.#end('dim', '–', event.title, event.because)
      case 'job.failed':
        return this.#end('red', '✗', event.title, formatDuration(event.durationMs))
      case 'process.starting':
        return this.#begin(`Start ${event.process}`)
      case 'process.ready':
        return this.#end('green', '✓', `Start ${event.process}`, formatDuration(event.durationMs))
      case 'process.restarting':
        return this.#end('yellow', '!', `Restart ${event.process}`, `in ${formatDuration(event.delayMs)}`)
      case 'process.reloading':
        return this.#begin(`Reload ${event.process}`)
      case 'process.reloaded': {
        const [style, mark] = event.ok ? (['green', '✓'] as const) : (['red', '✗'] as const)
        return this.#end(style, mark, `Reload ${event.process}`, formatDuration(event.durationMs))
      }
      case 'process.exited':
        if (event.expected) return
        return this.#end('red', '✗', `${event.process} ended`, event.signal ?? `exit code ${event.code}`)
      default:
        return
    }
  }

  /** Removes the line of a step that did not end, before an error is printed. */
  close(): void {
    if (this.#running && this.#terminal.isInteractive) this.#terminal.stderr.write('\r\u001b[K')
    this.#running = null
  }

  #begin(title: string): void {
    this.#running = title
    if (this.#terminal.isInteractive) this.#terminal.stderr.write(`\r\u001b[K  … ${title}`)
  }

  #end(style: 'green' | 'dim' | 'red' | 'yellow', mark: string, title: string, note: string): void {
    const color = this.#terminal.isStderrColored
    this.#line(`  ${paint(color, style, mark)} ${title.padEnd(30)} ${paint(color, 'dim', note)}`)
  }

  #line(text: string): void {
    this.close()
    this.#terminal.stderr.write(text + '\n')
  }
}
