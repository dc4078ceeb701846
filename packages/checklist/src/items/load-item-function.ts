import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CheckItemFunction } from '@havn/model'
import { errors } from '../errors.ts'

/**
 * Loads the code of an item from a file.
 *
 * @throws HAVN_ERR_CHECK_ITEM_CODE
 */
export async function loadItemFunction(file: string, directory: string): Promise<CheckItemFunction> {
  let module: { default?: unknown }
  try {
    module = (await import(pathToFileURL(resolve(directory, file)).href)) as typeof module
  } catch (error) {
    throw errors.HAVN_ERR_CHECK_ITEM_CODE({ file, problem: (error as Error).message }, { cause: error })
  }
  if (typeof module.default === 'function') return module.default as CheckItemFunction
  throw errors.HAVN_ERR_CHECK_ITEM_CODE({ file, problem: 'it has no function as its default export' })
}
