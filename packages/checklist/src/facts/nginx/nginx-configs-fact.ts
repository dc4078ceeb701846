import { basename } from 'node:path/posix'
import { defineFact } from '../../define.ts'
import { SourceText } from '../../source/source-text.ts'
import { isDevelopmentName } from '../server/is-development.ts'
import { sourceFiles } from '../source-files.ts'
import type { NginxConfig } from './nginx-config.ts'
import { parseNginx } from './parse-nginx.ts'

const NAME =
  /\.(?:conf|nginx|vhost)(?:\.(?:template|tmpl|tpl|j2|in|erb))?$|^nginx(?:\.[\w.-]+)?$|\.conf\.[\w.-]+$/
/** `sites-available/shop` has no ending. */
const FOLDER = /(?:^|\/)(?:sites-available|sites-enabled)\/[^/]+$/
const LOOKS_LIKE_ONE =
  /^[ \t]*(?:server|location\b[^{;\n]*|upstream[ \t]+\S+|http|events)[ \t\r\n]*\{|^[ \t]*proxy_(?:pass|set_header)[ \t]/m
const MAX_FILES = 500

/** Files of nginx's configuration, templates included, by their names and what is in them. */
export const nginxConfigs = defineFact<readonly NginxConfig[]>({
  id: 'nginx-configs',
  title: 'Configurations of nginx',
  async collect({ tree, get, signal }) {
    const found: NginxConfig[] = []
    for (const file of (await get(sourceFiles)) ?? []) {
      if (!NAME.test(basename(file)) && !FOLDER.test(file)) continue
      signal.throwIfAborted()
      const text = await tree.read(file)
      if (text === null || text.includes('\0') || !LOOKS_LIKE_ONE.test(text)) continue
      // Passed over, it would pass.
      if (found.length === MAX_FILES)
        throw new Error(`There are more than ${MAX_FILES} configurations of nginx`)
      const source = new SourceText(file, text)
      found.push({ source, directives: parseNginx(source), isDevelopment: isDevelopmentName(file) })
    }
    return found.length > 0 ? found : null
  },
})
