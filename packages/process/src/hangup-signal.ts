import { closeSync, openSync } from 'node:fs'

export interface HangupOptions {
  /** SIGHUP from a person or a service manager: read anew what can be. */
  onReload: () => void
  /** SIGHUP from the kernel, because the terminal is gone: nobody is left to stop this process. */
  onHangup: () => void
}

/**
 * Takes over SIGHUP until it is closed. The signal means two things: servers reload at it, and a closed terminal sends
 * it to whatever ran there. A process that had a terminal and has lost it was hung up on.
 */
export function createHangupSignal({ onReload, onHangup }: HangupOptions): { close(): void } {
  const hadTerminal = hasTerminal()
  const receive = () => (hadTerminal && !hasTerminal() ? onHangup() : onReload())
  process.on('SIGHUP', receive)
  return { close: () => void process.off('SIGHUP', receive) }
}

/** Whether there is a controlling terminal (tty(4)): it cannot be opened once it has hung up. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
