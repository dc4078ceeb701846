import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The absolute path of a program on the environment's PATH, or null. */
export async function findProgram(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (!folder.startsWith('/')) continue
    const path = join(folder, name)
    if (await isProgram(path)) return path
  }
  return null
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
