import type { Command } from 'commander'
import { jsonOption, type CommandContext } from '../program.ts'
import { formatTable } from '../table.ts'

const marks = { ok: '✓', missing: '✗', absent: '–' } as const

export function addDoctorCommand(program: Command, { terminal, setExitCode }: CommandContext): void {
  program
    .command('doctor')
    .summary('what this machine has, and what it lacks')
    .description('Looks at this machine. Exit code 1 when something is missing that apps need.')
    .addOption(jsonOption())
    .action(async ({ json }: { json?: boolean }) => {
      const { diagnose } = await import('../../deployment/doctor.ts')
      const found = await diagnose()
      if (json) terminal.stdout.write(JSON.stringify(found, null, 2) + '\n')
      else
        terminal.stdout.write(
          formatTable(found.map(({ name, state, seen, hint }) => [marks[state], name, seen, hint])),
        )
      setExitCode(found.some(({ state }) => state === 'missing') ? 1 : 0)
    })
}
