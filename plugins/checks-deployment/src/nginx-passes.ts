import { argOf, directivesOf } from '@havn/checklist'
import type { NginxConfig, NginxDirective } from '@havn/checklist'

/** Places where nginx leads requests to an app, in configurations for production. */
export function* passesOf(
  configs: readonly NginxConfig[],
): Generator<{ pass: NginxDirective; config: NginxConfig }> {
  for (const config of configs)
    if (!config.isDevelopment)
      for (const pass of directivesOf(config.directives))
        if (pass.name === 'proxy_pass' && argOf(pass).startsWith('http://')) yield { pass, config }
}
