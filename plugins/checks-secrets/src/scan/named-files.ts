import { basename, extname } from 'node:path/posix'
import type { SourceText } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { isEnvironmentFile } from '../paths.ts'
import { isPlaceholder } from '../placeholder.ts'
import { scanManifests } from './scan-manifests.ts'

/** Secrets that are known by the file that they are in. */
export type NamedFileKind =
  'variable' | 'tool-credentials' | 'kubernetes-secret' | 'kubeconfig' | 'terraform-state'

export interface NamedFileHit {
  kind: NamedFileKind
  name: string
  place: SourcePlace
}

/** A line of a tool's file; the group `value` is the secret. */
interface ToolFile {
  file: RegExp
  name: string
  pattern: RegExp
}

const URL_USER = /\b(?:git\+)?https?:\/\/(?<value>[^\s/@"'${}<>]{8,300})@[\w.-]+/g

/** Where tools keep what they log in with. */
const TOOL_FILES: readonly ToolFile[] = [
  {
    file: /^\.npmrc$/,
    name: 'A login of npm',
    pattern: /^(?:\/\/\S*:)?_(?:authToken|auth|password)\s*=\s*(?<value>\S+)/gm,
  },
  {
    file: /^\.yarnrc\.yml$/,
    name: 'A login of Yarn',
    pattern: /^\s*npmAuth(?:Token|Ident):\s*["']?(?<value>[^\s"']+)/gm,
  },
  { file: /^(?:pip\.conf|pip\.ini)$/, name: 'A login of pip', pattern: URL_USER },
  {
    file: /^(?:package\.json|requirements[\w.-]*\.(?:txt|in)|Pipfile|pyproject\.toml|\.gitmodules)$/,
    name: 'A login in the URL of a dependency',
    pattern: URL_USER,
  },
  {
    file: /^\.pypirc$/,
    name: 'A login of PyPI',
    pattern: /^\s*password\s*[:=]\s*(?<value>\S+)/gm,
  },
  { file: /^[._]netrc$/, name: 'A login of .netrc', pattern: /\bpassword\s+(?<value>\S+)/g },
  {
    file: /^\.git-credentials$/,
    name: 'A login of git',
    pattern: /^https?:\/\/[^\s:/@]*:(?<value>[^\s@]+)@/gm,
  },
  { file: /^\.pgpass$/, name: 'A login of PostgreSQL', pattern: /^(?:[^:#\n]*:){4}(?<value>\S+)/gm },
  {
    file: /^(?:\.dockercfg|\.dockerconfigjson|config\.json)$/,
    name: 'A login of an image registry',
    pattern: /"auth"\s*:\s*"(?<value>[A-Za-z0-9+/=]{8,})"/g,
  },
]

const SECRET_NAME =
  /(?:^|_)(?:apikey|auth|credentials?|key|password|passwd|secret|token|dsn)(?:_|$)|secretkey|_(?:pass|pwd)$/i
const PUBLIC_NAME =
  /(?:^|_)(?:public|pub|publishable|file|path|dir|name|id|host|header|expir\w*|lifetime|length|ttl|algorithm|url|type|enabled)(?:_|$)|^(?:vite|next_public|react_app|nuxt_public)_/i
const VARIABLE =
  /^[ \t]*(?:export[ \t]+)?(?<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?<quote>["']?)(?<value>[^\s"'#]+)/gm

/** Finds what is a secret because of the file that it is in. */
export function scanNamedFile(source: SourceText): NamedFileHit[] {
  const name = basename(source.file)
  if (isEnvironmentFile(source.file)) return scanVariables(source)
  if (/\.tfstate(?:\.backup)?$/.test(name)) return scanState(source)
  if (['.yaml', '.yml'].includes(extname(name)) || /kubeconfig/i.test(name)) return scanManifests(source)
  return TOOL_FILES.filter(({ file }) => file.test(name)).flatMap((tool) => scanTool(source, tool))
}

function scanTool(source: SourceText, { name, pattern }: ToolFile): NamedFileHit[] {
  return [...source.text.matchAll(pattern)].flatMap((match) => {
    const value = match.groups!['value']!
    // `user:` of a URL; `git` alone is no secret.
    if (isPlaceholder(value.slice(value.indexOf(':') + 1))) return []
    const start = match.index + match[0].lastIndexOf(value)
    return [{ kind: 'tool-credentials', name, place: source.placeOf(start, start + value.length) }]
  })
}

function scanVariables(source: SourceText): NamedFileHit[] {
  return [...source.text.matchAll(VARIABLE)].flatMap((match) => {
    const { name = '', value = '' } = match.groups!
    if (!SECRET_NAME.test(name) || PUBLIC_NAME.test(name)) return []
    if (isPlaceholder(value) || /^(?:\d{1,5}|yes|no|on|off)$/i.test(value)) return []
    const start = match.index + match[0].lastIndexOf(value)
    return [{ kind: 'variable', name, place: source.placeOf(start, start + value.length) }]
  })
}

/** With resources: an empty state has nothing to tell. */
function scanState(source: SourceText): NamedFileHit[] {
  const at = source.text.search(/"(?:resources|modules)"\s*:\s*\[\s*\{/)
  if (at === -1 || !source.text.includes('"terraform_version"')) return []
  return [{ kind: 'terraform-state', name: 'A state of Terraform', place: source.placeOf(at, at + 1) }]
}
