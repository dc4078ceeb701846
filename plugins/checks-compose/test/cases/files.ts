import type { RuleCases } from '@havn/checklist/testing'

export type Cases = Readonly<Record<string, Partial<Pick<RuleCases, 'passing' | 'failing'>>>>

/** A compose file of these lines. */
export function file(...lines: string[]): { 'compose.yaml': string } {
  return { 'compose.yaml': lines.join('\n') + '\n' }
}

/** A compose file with one service, of these lines. */
export function service(...lines: string[]): { 'compose.yaml': string } {
  return file('services:', '  web:', ...lines.map((line) => `    ${line}`))
}

/** The same file for development. */
export function dev(files: { 'compose.yaml': string }): { 'compose.override.yaml': string } {
  return { 'compose.override.yaml': files['compose.yaml'] }
}

export const plain = service('image: a:1')
