import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AppInterface } from '@havn/model'
import { errors } from '../errors.ts'

/** What the command line's ENTRY names. */
export type ParsedEntry =
  | {
      language: 'python'
      target: string
      /** Null: only the object itself can tell. */ interface: 'wsgi' | 'asgi' | null
    }
  | { language: 'node'; target: string }

/**
 * Reads `module:attribute`, `module` (its `application`, as gunicorn does) or a JavaScript file.
 *
 * @throws HAVN_ERR_ENTRY_INVALID
 */
export function parseEntry(entry: string, directory: string): ParsedEntry {
  const [file = ''] = entry.split('#')
  if (/\.[cm]?[jt]sx?$/.test(file)) {
    if (!existsSync(resolve(directory, file)))
      throw errors.HAVN_ERR_ENTRY_FILE_MISSING({ file: resolve(directory, file) })
    return { language: 'node', target: entry }
  }
  const python = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::([A-Za-z_][\w.]*(?:\(\))?))?$/.exec(entry)
  if (!python) throw errors.HAVN_ERR_ENTRY_INVALID({ entry })
  const [, module = '', attribute = 'application'] = python
  return { language: 'python', target: `${module}:${attribute}`, interface: interfaceOfModule(module) }
}

/** Django's and everyone's habit: the module's own name says what it holds. */
function interfaceOfModule(module: string): 'wsgi' | 'asgi' | null {
  const match = /(?:^|[._])(wsgi|asgi)$/.exec(module)
  return match ? (match[1] as 'wsgi' | 'asgi') : null
}

/** The interface that the user forces on an entry. @throws HAVN_ERR_OPTION_INVALID */
export function checkInterface(entry: ParsedEntry, asked: AppInterface | undefined): void {
  if (entry.language === 'python' && (asked === 'fetch' || asked === 'node')) {
    const seen = { option: '--interface', value: asked, wanted: 'wsgi or asgi for a Python app' }
    throw errors.HAVN_ERR_OPTION_INVALID(seen)
  }
}
