import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'

/** Where real parts are installed: `.parts` in the workspace, out of version control. */
export async function partsDirectory(): Promise<string> {
  const directory = process.env['HAVN_PARTS'] ?? resolve(import.meta.dirname, '../../../.parts')
  await mkdir(directory, { recursive: true })
  return directory
}
