import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What a page says of a rule: of the contract in plugin-api, which stands above the tools. */
export interface DocumentedRule {
  id: string
  title: string
  severity: string
  confidence: string
  hint: string
  references: readonly string[]
  docs: { what: string; why: string; bad: string; good: string; language: string }
}

interface Pack {
  default: { setup(config: object, context: object): Promise<{ rules: readonly DocumentedRule[] }> }
}

const root = resolve(import.meta.dirname, '../..')
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** All rules that come with the product, by their ids. */
export async function readRules(): Promise<DocumentedRule[]> {
  const entries = globSync('plugins/checks-*/src/index.ts', { cwd: root }).sort()
  const packs = await Promise.all(entries.map(openPack))
  return packs.flat().sort((one, other) => (one.id < other.id ? -1 : 1))
}

async function openPack(entry: string): Promise<readonly DocumentedRule[]> {
  const { default: plugin } = (await import(pathToFileURL(resolve(root, entry)).href)) as Pack
  const context = { logger: silent, signal: new AbortController().signal, stateDirectory: root }
  return (await plugin.setup({}, context)).rules
}

/** The pages of docs/reference/checks, by their names: one a rule, and the list of them. */
export function formatCheckReference(rules: readonly DocumentedRule[]): ReadonlyMap<string, string> {
  const pages = new Map(rules.map((rule) => [`${rule.id}.md`, formatRule(rule)]))
  return pages.set('README.md', formatList(rules))
}

function formatList(rules: readonly DocumentedRule[]): string {
  const lines = rules.map(({ id, title, severity }) => `- [${id}](${id}.md) (${severity}): ${title}`)
  return `# Checks

What \`platform check\` looks for. \`npm run reference\` writes these pages from the rules.

${lines.join('\n')}
`
}

function formatRule({ id, title, severity, confidence, hint, references, docs }: DocumentedRule): string {
  // Examples of HTTP have its line ends; pages have those of the repository.
  const fence = (text: string) =>
    '```' + `${docs.language}\n${text.replaceAll('\r\n', '\n').trimEnd()}\n` + '```'
  const sections = [
    `# ${id}`,
    `${title}.`,
    `Severity \`${severity}\`, confidence \`${confidence}\`.`,
    `## What it finds\n\n${docs.what}`,
    `## Why it matters\n\n${docs.why}`,
    `## Bad\n\n${fence(docs.bad)}`,
    `## Good\n\n${fence(docs.good)}`,
    `## How to fix it\n\n${hint}`,
    ...(references.length > 0 ? [`## The same elsewhere\n\n${references.map(toItem).join('\n')}`] : []),
  ]
  return sections.join('\n\n') + '\n'
}

function toItem(reference: string): string {
  return URL.canParse(reference) ? `- <${reference}>` : `- \`${reference}\``
}
