import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withLock } from './lock.ts'
import { partMissing } from './missing.ts'
import { partsDirectory } from './parts-directory.ts'

const run = promisify(execFile)

/** The interpreter that test environments are made from: `HAVN_TEST_PYTHON`, or python3 on the PATH. */
export async function findPython(): Promise<string> {
  const python = process.env['HAVN_TEST_PYTHON'] ?? 'python3'
  try {
    const { stdout } = await run(python, ['-c', 'import sys, venv; print(sys.executable)'])
    return stdout.trim()
  } catch (error) {
    throw partMissing('python3 with venv', (error as Error).message)
  }
}

/**
 * Makes, once, a virtual environment with exactly these requirement specifiers (PEP 508) from PyPI.
 *
 * @returns the absolute path of its interpreter.
 */
export async function ensurePython(requirements: readonly string[]): Promise<string> {
  const base = await findPython()
  const wanted = [base, ...[...requirements].sort()].join('\n')
  const name = `python-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`
  const directory = join(await partsDirectory(), name)
  const interpreter = join(directory, 'bin', 'python')
  const finished = join(directory, 'installed')
  if (await exists(finished)) return interpreter

  return withLock(`${directory}.lock`, async () => {
    if (await exists(finished)) return interpreter
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    try {
      await run(base, ['-m', 'venv', directory])
      if (requirements.length > 0) {
        const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input']
        await run(interpreter, [...pip, ...requirements], { maxBuffer: 64 * 1024 * 1024 })
      }
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw partMissing(requirements.join(' ') || 'venv', (error as Error).message)
    }
    await writeFile(finished, wanted)
    return interpreter
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
