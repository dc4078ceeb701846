import { randomUUID } from 'node:crypto'
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative, isAbsolute, sep } from 'node:path'
import { errors } from '../errors.ts'
import type { FixPlan } from './plan-fixes.ts'

/**
 * Writes what {@link planFixes} planned. Each file is replaced whole, with its mode kept, and only when it is still what
 * the plan was made from.
 *
 * @param texts what the plan was made from.
 * @throws HAVN_ERR_CHECK_FILE_CHANGED; files before that one are written.
 */
export async function writeFixes(
  root: string,
  { files }: FixPlan,
  texts: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [file, text] of files) {
    const path = await realpath(join(root, file))
    const away = relative(await realpath(root), path)
    const isOutside = away === '..' || away.startsWith('..' + sep) || isAbsolute(away)
    if (isOutside || (await readFile(path, 'utf8')) !== texts.get(file))
      throw errors.HAVN_ERR_CHECK_FILE_CHANGED({ file })
    const { mode } = await stat(path)
    const temporary = `${path}.${randomUUID()}.tmp`
    try {
      await writeFile(temporary, text, { flag: 'wx' })
      await chmod(temporary, mode & 0o7777)
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }
}
