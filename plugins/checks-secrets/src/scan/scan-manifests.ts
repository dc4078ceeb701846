import type { SourceText } from '@havn/checklist'
import { isPlaceholder } from '../placeholder.ts'
import type { NamedFileHit } from './named-files.ts'

const SECRET = /^kind:[ \t]*["']?Secret["']?[ \t]*\r?$/m
const KUBECONFIG = /^kind:[ \t]*["']?Config["']?[ \t]*\r?$/m
/** What is encrypted by sops is meant to be in the repository. */
const ENCRYPTED = /^sops:/m
const CREDENTIAL = /^[ \t]+(?:client-key-data|token|password):[ \t]*["']?(?<value>[^\s"'#]+)/gm
const ENTRY = /^[ \t]+(?:- )?["']?(?<name>[\w.-]+)["']?:[ \t]*(?<value>\S.*)$/
const BLOCK = /^[|>][+-]?\d?\s*$/

/**
 * Finds Kubernetes Secrets with their values, and kubeconfigs with credentials. Lines are read, not YAML: a template, or
 * a file that no parser takes, has its secrets all the same.
 */
export function scanManifests(source: SourceText): NamedFileHit[] {
  const hits: NamedFileHit[] = []
  for (const { 0: text, index } of source.text.matchAll(/(?:^(?!---).*(?:\n|$))+/gm)) {
    if (text === '') continue
    if (SECRET.test(text) && !ENCRYPTED.test(text)) hits.push(...scanSecret(source, text, index))
    else if (KUBECONFIG.test(text)) hits.push(...scanKubeconfig(source, text, index))
  }
  return hits
}

function scanSecret(source: SourceText, text: string, at: number): NamedFileHit[] {
  const hits: NamedFileHit[] = []
  const lines = text.split('\n')
  let section: string | null = null
  let start = at
  for (const [number, line] of lines.entries()) {
    if (/^\w/.test(line)) section = /^(data|stringData):\s*$/.exec(line)?.[1] ?? null
    const entry = section === null ? null : ENTRY.exec(line)
    if (entry !== null) {
      const { name = '', value = '' } = entry.groups!
      // Of a block its first line: mostly one of a file of settings.
      const [, block] = BLOCK.test(value) ? /^\s*(?:[\w.-]+\s*[=:])?(.*)/.exec(lines[number + 1] ?? '')! : []
      if (isValue((block ?? value).trim(), section === 'data')) {
        const from = start + line.lastIndexOf(value)
        const place = source.placeOf(from, from + value.trimEnd().length)
        hits.push({ kind: 'kubernetes-secret', name, place })
      }
    }
    start += line.length + 1
  }
  return hits
}

function isValue(told: string, isBase64: boolean): boolean {
  const text = told.replaceAll(/^["']|["']$/g, '')
  if (isPlaceholder(text) || /^ENC\[|^AgA|^ref\+|^vault:/.test(text)) return false
  return !isBase64 || !isPlaceholder(Buffer.from(text, 'base64').toString('utf8'))
}

function scanKubeconfig(source: SourceText, text: string, at: number): NamedFileHit[] {
  return [...text.matchAll(CREDENTIAL)].flatMap((match) => {
    const value = match.groups!['value']!
    if (isPlaceholder(value)) return []
    const start = at + match.index + match[0].lastIndexOf(value)
    const place = source.placeOf(start, start + value.length)
    return [{ kind: 'kubeconfig', name: 'A credential of a cluster', place }]
  })
}
