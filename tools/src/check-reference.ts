import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyPlugin, ChecksContract, CheckRule } from '@havn/plugin-api'

const root = resolve(import.meta.dirname, '../..')
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** All rules that come with the product, by their ids. */
export async function readRules(): Promise<CheckRule[]> {
  const entries = globSync('plugins/checks-*/src/index.ts', { cwd: root }).sort()
  const packs = await Promise.all(entries.map(openPack))
  return packs.flat().sort((one, other) => (one.id < other.id ? -1 : 1))
}

async function openPack(entry: string): Promise<readonly CheckRule[]> {
  const { default: plugin } = (await import(pathToFileURL(resolve(root, entry)).href)) as {
    default: AnyPlugin
  }
  const context = { logger: silent, signal: new AbortController().signal, stateDirectory: root }
  const pack = (await plugin.setup({}, context)) as ChecksContract
  return pack.rules
}

/** The pages of docs/reference/checks, by their names: one a rule, and the list of them. */
export function formatCheckReference(rules: readonly CheckRule[]): ReadonlyMap<string, string> {
  const pages = new Map(rules.map((rule) => [`${rule.id}.md`, formatRule(rule)]))
  return pages.set('README.md', formatList(rules))
}

function formatList(rules: readonly CheckRule[]): string {
  const lines = rules.map(({ id, title, severity }) => `- [${id}](${id}.md) (${severity}): ${title}`)
  return `# Checks

What \`platform check\` looks for. \`npm run reference\` writes these pages from the rules.

${lines.join('\n')}
`
}

function formatRule({ id, title, severity, confidence, hint, references, docs }: CheckRule): string {
  const fence = (text: string) => '```' + `${docs.language}\n${text.trimEnd()}\n` + '```'
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
