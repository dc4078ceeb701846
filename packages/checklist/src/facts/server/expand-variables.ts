import type { SetVariable } from './server-command.ts'

const VARIABLE =
  /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+=?])([^{}]*))?\}|([A-Za-z_][A-Za-z0-9_]*)|\(([A-Z_][A-Z0-9_]*)\))/g

/** Puts variables in, also as Kubernetes writes them (`$(PORT)`); one that is not known stays as it is written. */
export function expandVariables(text: string, environment: ReadonlyMap<string, SetVariable>): string {
  return text.replaceAll(
    VARIABLE,
    (whole, braced?: string, operator?: string, word?: string, bare?: string, parenthesised?: string) => {
      const value = environment.get(braced ?? bare ?? parenthesised ?? '')?.value ?? null
      if (operator?.endsWith('+')) return value ? (word ?? '') : ''
      // What the shell would take from its environment, nobody here knows: the default is what the author meant.
      if (value === null || value === '') return operator?.match(/[-=]$/) ? (word ?? '') : whole
      return value
    },
  )
}
