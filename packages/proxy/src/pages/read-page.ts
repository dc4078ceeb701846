import { readFileSync, statSync } from 'node:fs'
import { errors } from '../errors.ts'

/** A page is for people, and kept in memory by each thread. */
const MAX_BYTES = 256 * 1024

/**
 * Reads an HTML file that the configuration names.
 *
 * @param key where it does, for the error.
 * @throws HAVN_ERR_EDGE_CONFIG for a file that can't be read, or is too large.
 */
export function readPage(file: string, key: string): Buffer {
  try {
    const { size } = statSync(file)
    if (size > MAX_BYTES) throw tooLarge(file, key, size)
    const page = readFileSync(file)
    if (page.length > MAX_BYTES) throw tooLarge(file, key, page.length)
    return page
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'HAVN_ERR_EDGE_CONFIG') throw cause
    const problem = `the file ${file} can't be read (${code ?? 'unknown'})`
    throw errors.HAVN_ERR_EDGE_CONFIG({ path: key, problem }, { cause })
  }
}

function tooLarge(file: string, key: string, bytes: number): Error {
  const problem = `the file ${file} has ${bytes} bytes; a page has at most ${MAX_BYTES}`
  return errors.HAVN_ERR_EDGE_CONFIG({ path: key, problem })
}
