import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checksSchema } from '@havn/model'
import type { ChecksOptions, PlatformConfig } from '@havn/model'
import { openSourceTree } from '@havn/plugin-api'
import type { CheckRule } from '@havn/plugin-api'
import { runChecks, type CheckInput, type CheckResult } from '../run/run-checks.ts'

export interface CheckFilesOptions extends Pick<CheckInput, 'baseline' | 'now' | 'timeoutMs'> {
  config?: ChecksOptions
  environment?: Readonly<Record<string, string>>
  /** Of the whole project. */
  platformConfig?: PlatformConfig
  /** The site that live probes ask. */
  site?: URL
  signal?: AbortSignal
  /** Makes more of the folder than its files, such as a repository. */
  prepare?: (directory: string) => Promise<void>
}

/** Runs rules over files that are there for this run alone: names and texts. All rules run, guesses included. */
export async function checkFiles(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- rules over any facts
  rules: readonly CheckRule<any, any>[],
  files: Readonly<Record<string, string>>,
  options: CheckFilesOptions = {},
): Promise<CheckResult> {
  const directory = await mkdtemp(join(tmpdir(), 'havn-check-'))
  try {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, file)), { recursive: true })
      await writeFile(join(directory, file), text)
    }
    const { environment = {}, config, platformConfig = null, site = null, ...rest } = options
    const { signal = new AbortController().signal, prepare, ...more } = rest
    await prepare?.(directory)
    return await runChecks({
      rules,
      config: checksSchema.parse({ profile: 'strict', ...config }),
      context: {
        tree: await openSourceTree(directory),
        environment,
        config: platformConfig,
        site,
        logger: silent,
        signal,
      },
      ...more,
    })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }
