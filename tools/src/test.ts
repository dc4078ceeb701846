import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * The test command: types, lint with the layers' boundaries, formatting, then every test of every package.
 * Further arguments go to vitest: `npm test -- packages/http`.
 */
const root = resolve(import.meta.dirname, '../..')
const nxEnvironment = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' }
const vitestArguments = process.argv.slice(2)

const isWhole = vitestArguments.length === 0
const checked =
  !isWhole ||
  (run('prettier', ['--check', '--log-level', 'warn', '.']) &&
    run('nx', ['run-many', '-t', 'typecheck', 'lint', '--parallel=2', '--output-style=static']))

const results = mkdtempSync(join(tmpdir(), 'havn-test-'))
const report = join(results, 'report.json')
const tested = run('vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...vitestArguments,
])
printTotals(report)
rmSync(results, { recursive: true })
process.exitCode = checked && tested ? 0 : 1

function run(command: string, args: readonly string[]): boolean {
  console.log(`\n> ${command} ${args.join(' ')}`)
  const { status } = spawnSync(join(root, 'node_modules/.bin', command), args, {
    cwd: root,
    stdio: 'inherit',
    env: nxEnvironment,
  })
  return status === 0
}

/** The closing line: a step that failed without a test of its own counts as one failure. */
function printTotals(path: string): void {
  const totals = { passed: 0, failed: 0, skipped: 0 }
  try {
    const json = JSON.parse(readFileSync(path, 'utf8')) as {
      numPassedTests: number
      numFailedTests: number
      numPendingTests: number
      numFailedTestSuites: number
    }
    totals.passed = json.numPassedTests
    totals.failed = Math.max(json.numFailedTests, tested ? 0 : 1)
    totals.skipped = json.numPendingTests
  } catch {
    totals.failed = 1
  }
  if (!checked) totals.failed += 1
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
}
