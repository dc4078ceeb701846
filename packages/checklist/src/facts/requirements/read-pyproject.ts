import type { SourceText } from '../../source/source-text.ts'
import type { Requirement } from './requirement.ts'
import { normalName, toPythonRequirement } from './read-requirements-file.ts'

const MAX_REQUIREMENTS = 5_000
const TABLE = /^[ \t]*\[{1,2}([^\]\n]+)\]{1,2}[ \t]*(?:#.*)?$/gm
const STRING_LIST = /^[ \t]*([\w-]+)[ \t]*=[ \t]*\[((?:[^\]"']|"[^"\n]*"|'[^'\n]*')*)\]/gm
const KEY = /^[ \t]*["']?([A-Za-z0-9][\w.-]*)["']?[ \t]*=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|\{([^}\n]*)\})/gm

interface TomlTable {
  name: string
  start: number
  end: number
}

/** The dependencies of pyproject.toml: PEP 621, PEP 735, and Poetry's tables. */
export function readPyproject(source: SourceText): Requirement[] {
  return tablesOf(source)
    .flatMap((table): Requirement[] => {
      const { name } = table
      if (name === 'project') return listed(source, table, (key) => key === 'dependencies', false)
      if (name === 'project.optional-dependencies') return listed(source, table, () => true, true)
      if (name === 'dependency-groups') return listed(source, table, () => true, true)
      if (name === 'tool.poetry.dependencies') return poetry(source, table, false)
      if (/^tool\.poetry\.(?:dev-dependencies|group\.[\w-]+\.dependencies)$/.test(name))
        return poetry(source, table, /dev|test|lint|docs?/.test(name))
      return []
    })
    .slice(0, MAX_REQUIREMENTS)
}

function listed(
  source: SourceText,
  { start, end }: TomlTable,
  isMeant: (key: string) => boolean,
  isDevelopment: boolean,
): Requirement[] {
  const text = source.text.slice(start, end)
  return [...text.matchAll(STRING_LIST)].flatMap((list) => {
    if (!isMeant(list[1]!)) return []
    const from = start + list.index + list[0].length - list[2]!.length - 1
    return [...list[2]!.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g)].flatMap((item) => {
      const match = /^[ \t]*([A-Za-z0-9][\w.-]*)[ \t]*(?:\[[^\]]*\])?[ \t]*\(?([^;)@]*)/.exec(
        item[1] ?? item[2] ?? '',
      )
      if (match === null) return []
      const at = from + item.index
      const place = source.placeOf(at, at + item[0].length)
      return { ...toPythonRequirement(match[1]!, match[2]!.trim()), isDevelopment, place }
    })
  })
}

function poetry(source: SourceText, { start, end }: TomlTable, isDevelopment: boolean): Requirement[] {
  return [...source.text.slice(start, end).matchAll(KEY)].flatMap((match) => {
    const [whole, name, double, single, table] = match
    if (name === 'python') return []
    const specifier = double ?? single ?? /version[ \t]*=[ \t]*["']([^"']*)["']/.exec(table ?? '')?.[1] ?? ''
    const at = start + match.index + whole.length - whole.trimStart().length
    const version = /^(?:==)?(\d[\w.]*)$/.exec(specifier)?.[1] ?? null
    return {
      language: 'python' as const,
      name: normalName(name!),
      version,
      specifier,
      isLocked: false,
      isDevelopment,
      place: source.placeOf(at, start + match.index + whole.length),
    }
  })
}

/** The `[[package]]` tables of poetry.lock, uv.lock and pdm.lock. */
export function readTomlLock(source: SourceText): Requirement[] {
  const found: Requirement[] = []
  for (const { name, start, end } of tablesOf(source)) {
    if (name !== 'package' || found.length === MAX_REQUIREMENTS) continue
    const text = source.text.slice(start, end)
    const packageName = /^name[ \t]*=[ \t]*"([^"\n]+)"/m.exec(text)
    const version = /^version[ \t]*=[ \t]*"([^"\n]+)"/m.exec(text)
    if (packageName === null || version === null) continue
    found.push({
      language: 'python',
      name: normalName(packageName[1]!),
      version: version[1]!,
      specifier: `==${version[1]}`,
      isLocked: true,
      isDevelopment: /^(?:category[ \t]*=[ \t]*"dev"|groups[ \t]*=[ \t]*\["dev"\])/m.test(text),
      place: source.placeOf(start + version.index, start + version.index + version[0].length),
    })
  }
  return found
}

function tablesOf({ text }: SourceText): TomlTable[] {
  const headers = [...text.matchAll(TABLE)]
  return headers.map((header, at) => ({
    name: header[1]!.trim().replaceAll('"', ''),
    start: header.index + header[0].length,
    end: headers[at + 1]?.index ?? text.length,
  }))
}
