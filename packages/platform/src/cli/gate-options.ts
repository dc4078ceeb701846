import { Option, type Command } from 'commander'
import type { GatePolicy } from '../deployment/check-gate.ts'

export interface GateOptionValues {
  skipCheck?: boolean
  failLevel?: 'info' | 'warn' | 'error'
}

/** Options of every command that checks before it deploys. */
export function addGateOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--fail-level <level>',
        'least severity of what the check finds that ends it; by default, findings are told of',
      ).choices(['info', 'warn', 'error']),
    )
    .option('--skip-check', 'check nothing first, which the log says')
}

/** What is skipped refuses nothing. */
export function toGatePolicy({ skipCheck, failLevel }: GateOptionValues): GatePolicy {
  return { isSkipped: skipCheck ?? false, refusesAt: failLevel ?? null }
}
