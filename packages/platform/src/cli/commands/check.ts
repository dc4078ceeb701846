import { Option, type Command } from 'commander'
import type { CheckReport } from '../../deployment/check.ts'
import type { FixChoice } from '../../deployment/fix-findings.ts'
import { errors } from '../../errors.ts'
import { addFolderOptions, type CommandContext } from '../program.ts'
import type { Terminal } from '../terminal.ts'

const formats = ['text', 'json', 'sarif', 'junit', 'markdown'] as const
type Format = (typeof formats)[number]

interface CheckValues {
  format: Format
  failLevel?: 'info' | 'warn' | 'error'
  profile?: 'minimal' | 'recommended' | 'strict'
  fix?: boolean
  fixSuggested?: boolean
  writeBaseline?: string
  url?: string
  verbose?: boolean
  config?: string
  python?: string
}

/** Findings at or above the fail level. */
const FOUND = 3
/** As a shell has it for what SIGINT ended. */
const STOPPED = 130

export function addCheckCommand(program: Command, { terminal, setExitCode }: CommandContext): void {
  const version = program.version()!
  const command = program
    .command('check')
    .summary('look for what will hurt in production')
    .description(
      'Checks the whole deployment before it happens. Exit code 3 says that there are findings at or above the fail level.',
    )
    .argument('[dir]', "the app's folder", '.')
    .addOption(new Option('--format <format>', 'how findings are printed').choices(formats).default('text'))
    .addOption(
      new Option('--fail-level <level>', 'least severity that fails (default: error)').choices([
        'info',
        'warn',
        'error',
      ]),
    )
    .addOption(
      new Option('--profile <profile>', 'which rules run (default: recommended)').choices([
        'minimal',
        'recommended',
        'strict',
      ]),
    )
    .option(
      '--url <url>',
      'check the running site at this address as well, by at most 60 requests; no other host is asked',
    )
    .option('--fix', 'mend what can be mended without changing what the app does')
    .option('--fix-suggested', 'show each fix that needs a look, and ask whether to make it')
    .option('--write-baseline <file>', 'take what is found now for known; name the file in checks.baseline')
    .option('--verbose', 'also tell of what is waived, known or skipped')
  addFolderOptions(command).action(async (directory: string, values: CheckValues) => {
    const { check } = await import('../../deployment/check.ts')
    const { listenForStop } = await import('../../deployment/stop-request.ts')
    const { profile, failLevel, python, writeBaseline, url, config: configFile } = values
    const choose = await chooseFixes(values, terminal)
    // Commands of one's own, and Django, run in process groups of their own: they are to end with us.
    const stop = listenForStop()
    try {
      const report = await check({
        ...{ directory, configFile, python, profile, failLevel },
        ...{ choose, writeBaseline, url, signal: stop.signal },
      })
      tellOfFixes(report, terminal)
      terminal.stdout.write(await format(report, { ...values, version }, terminal))
      if (report.result.hasFailed) setExitCode(FOUND)
    } catch (error) {
      if (!stop.signal.aborted) throw error
      terminal.stderr.write('Stopped, before all was checked.\n')
      setExitCode(STOPPED)
    } finally {
      stop.close()
    }
  })
}

/** Safe fixes without a question, the others with one; undefined where nothing is to be mended. */
async function chooseFixes(values: CheckValues, terminal: Terminal): Promise<FixChoice | undefined> {
  if (!values.fix && !values.fixSuggested) return undefined
  if (values.fixSuggested && terminal.ask === null) throw errors.HAVN_ERR_CHECK_NOBODY_TO_ASK({})
  const { formatFinding, formatFix } = await import('@havn/checklist')
  const options = { isColored: terminal.isStderrColored }
  let isOver = false
  return async (fix, finding, texts) => {
    if (fix.safety === 'safe') return values.fix ?? false
    if (!values.fixSuggested || isOver) return false
    const shown = finding.isSensitive ? '' : formatFix(fix, texts, options)
    terminal.stderr.write(`${formatFinding(finding, options)}    ${fix.title}:\n${shown}`)
    const said = await terminal.ask!('    Make this change? [y]es, [N]o, [q]uit: ')
    const answer = said?.trim().toLowerCase() ?? 'quit'
    isOver = ['q', 'quit'].includes(answer)
    return ['y', 'yes'].includes(answer)
  }
}

function tellOfFixes({ fixed }: CheckReport, { stderr }: Terminal): void {
  if (fixed === null) return
  for (const { finding, fix } of fixed.applied)
    stderr.write(
      `fixed ${finding.place?.file ?? ''}:${finding.place?.line ?? ''} ${finding.rule}: ${fix.title}\n`,
    )
  if (fixed.applied.length === 0) stderr.write('Nothing could be fixed.\n')
  if (fixed.left.length > 0) stderr.write(`${fixed.left.length} more overlap with these: run it again.\n`)
}

async function format(
  { result }: CheckReport,
  values: CheckValues & { version: string },
  terminal: Terminal,
): Promise<string> {
  const { formatJson, formatJunit, formatMarkdown, formatSarif, formatText } = await import('@havn/checklist')
  switch (values.format) {
    case 'json':
      return formatJson(result)
    case 'junit':
      return formatJunit(result)
    case 'markdown':
      return formatMarkdown(result)
    case 'sarif':
      return formatSarif(result, { version: values.version })
    case 'text':
      return formatText(result, { isColored: terminal.isStdoutColored, isVerbose: values.verbose ?? false })
  }
}
