import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { expect, test } from 'vitest'
import { startGateway, temporaryDirectory, urlOf } from './lifecycle-setup.ts'

/**
 * The cases of the Autobahn test suite. PyPI's `autobahntestsuite` runs on Python 2 alone; kosoku runs its case
 * files, as they are, on Python 3.
 */
const requirements = ['kosoku==0.1.0', 'starlette>=0.40,<2']
const python = await requirePart('kosoku and Starlette', () => ensurePython(requirements))
const chatDirectory = fileURLToPath(new URL('../../../examples/chat', import.meta.url))

const runner = fileURLToPath(new URL('autobahn/run_cases.py', import.meta.url))
/**
 * Messages of up to 16 MiB, and thousands compressed in all ways, take minutes: a few of each stand for them, unless
 * HAVN_AUTOBAHN names the cases to run, such as `*` for all, or `9.*,12.1.*`.
 */
const massCases = ['9.*', '12.*', '13.*']
const fewCases = [
  '9.1.3',
  '9.2.3',
  '9.3.1',
  '9.4.1',
  '9.5.6',
  '9.7.1',
  '12.1.1',
  '12.1.18',
  '12.2.5',
  '13.3.1',
  '13.7.11',
]
const chosen = process.env['HAVN_AUTOBAHN']?.split(',')

interface Verdict {
  behavior: string
  behaviorClose: string
}

test.skipIf(python === null)(
  `the echo of examples/chat passes the Autobahn test suite (${chosen ?? 'HAVN_AUTOBAHN=* for all cases'})`,
  async () => {
    const handle = await startGateway({
      listeners: [{ type: 'tcp', host: '127.0.0.1', port: 0 }],
      app: {
        language: 'python',
        interface: 'asgi',
        target: 'app:app',
        directory: chatDirectory,
        python: python!,
      },
      log: { level: 'silent' },
    })
    const report = await temporaryDirectory()
    const address = urlOf(handle.addresses, '/echo').replace('http', 'ws')
    const verdicts = chosen
      ? await run(address, report, '--include', chosen)
      : [
          ...(await run(address, report, '--exclude', massCases)),
          ...(await run(address, report, '--include', fewCases)),
        ]
    if (!chosen) expect(verdicts).toHaveLength(247 + fewCases.length)
    const passes = ['OK', 'NON-STRICT', 'INFORMATIONAL']
    const failed = verdicts.filter(
      ([, { behavior, behaviorClose }]) => !passes.includes(behavior) || !passes.includes(behaviorClose),
    )
    expect(failed).toEqual([])
  },
  chosen ? 3_600_000 : 120_000,
)

/** The verdict on each case that ran, by its number. */
async function run(
  address: string,
  report: string,
  choice: '--include' | '--exclude',
  patterns: readonly string[],
): Promise<[string, Verdict][]> {
  const args = [runner, ...patterns.flatMap((pattern) => [choice, pattern]), '--outdir', report, address]
  await promisify(execFile)(python!, args).catch((error: { stderr: string }) => {
    throw new Error(error.stderr)
  })
  const index = JSON.parse(await readFile(join(report, 'index.json'), 'utf8')) as Record<
    string,
    Record<string, Verdict>
  >
  return Object.values(index).flatMap((cases) => Object.entries(cases))
}
