import { defineRule, directivesOf, nginxConfigs } from '@havn/checklist'
import type { NginxConfig, NginxDirective } from '@havn/checklist'
import type { CheckRule, FindingReport } from '@havn/plugin-api'

type Needs = { nginxConfigs: typeof nginxConfigs }

export interface NginxRule extends Omit<CheckRule<Needs>, 'needs' | 'check' | 'options' | 'docs'> {
  docs: Omit<CheckRule['docs'], 'language'>
  /** @param all every directive of the file, those in blocks behind theirs. */
  find(all: readonly NginxDirective[], config: NginxConfig): readonly FindingReport[]
}

/** A rule over each configuration of nginx for production, by itself. */
export function defineNginxRule({ find, docs, ...declared }: NginxRule): CheckRule<Needs> {
  return defineRule({
    ...declared,
    docs: { ...docs, language: 'nginx' },
    needs: { nginxConfigs },
    check({ facts, report }) {
      for (const config of facts.nginxConfigs)
        if (!config.isDevelopment)
          for (const found of find(directivesOf(config.directives), config)) report(found)
    },
  })
}

/** The arguments of a directive. */
export function texts({ args }: NginxDirective): string[] {
  return args.map(({ text }) => text)
}

/** Those of some names. */
export function named(all: readonly NginxDirective[], ...names: readonly string[]): NginxDirective[] {
  return all.filter(({ name }) => names.includes(name))
}
