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

/** The first argument of a directive. */
export function argOf({ args }: NginxDirective): string {
  return args[0]?.text ?? ''
}

/** A block, and those that it stands in, the inmost first. */
export function blocksOf(directive: NginxDirective): NginxDirective[] {
  const blocks: NginxDirective[] = []
  for (let at = directive.parent; at !== null; at = at.parent) blocks.push(at)
  return blocks
}

/** The directives of this name that a place goes by: those of the inmost block that has any. */
export function effective(
  directive: NginxDirective,
  name: string,
  config: NginxConfig,
): readonly NginxDirective[] {
  for (const block of blocksOf(directive)) {
    const found = (block.block ?? []).filter((each) => each.name === name)
    if (found.length > 0) return found
  }
  return config.directives.filter((each) => each.name === name)
}

/** A file that is read into one of the blocks around: what is set there, nobody sees here. */
export function hasInclude(directive: NginxDirective, config: NginxConfig): boolean {
  const levels = [config.directives, ...blocksOf(directive).map(({ block }) => block ?? [])]
  return levels.some((level) =>
    level.some((each) => each.name === 'include' && !/mime\.types|conf\.d|sites-enabled/.test(argOf(each))),
  )
}
