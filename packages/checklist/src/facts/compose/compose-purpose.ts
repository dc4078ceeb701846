import { basename } from 'node:path/posix'
import type { ComposePurpose } from './compose.ts'

const COMPOSE = /^(?:[\w.-]*[.-])?(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/i
/** Names that projects give to compose files, and other files as well: what is in them decides. */
const MAYBE =
  /^(?:local|development|dev|staging|production|prod|stack|swarm|deploy|docker|default|base|common|docker-stack(?:[.-]\w+)*)\.ya?ml$/i
/** Workflows are named after what they do: `.github/workflows/deploy-docker-compose.yml`. */
const FORGE = /(?:^|\/)\.(?:github|gitlab|gitea|forgejo|circleci)\//
const BASE = /^(?:docker-)?compose\.ya?ml$/i
const DEVELOPMENT =
  /(?:^|[._-])(?:dev|devel|development|develop|local|localhost|override|test|tests|testing|ci|e2e|debug|debugger|example|sample|docs|devcontainer|playground|demo|selenium|tools?|mailhog|mailpit|vscode|pycharm|db-only|dependencies|deps)(?:[._-]|$)/i
const PRODUCTION =
  /(?:^|[._-])(?:prod|production|live|deploy|deployment|stack|swarm|release|staging|stage|traefik|letsencrypt|ssl|tls|https|server)(?:[._-]|$)/i
const DEVELOPMENT_FOLDER =
  /(?:^|\/)(?:\.devcontainer|dev|devel|development|local|tests?|testing|e2e|ci|\.github|\.ci|examples?|samples?|docs?|fixtures|testdata)\//i

/** Whether a file is a compose file by its name; `maybe` where its content must say it. */
export function isComposeName(file: string): boolean | 'maybe' {
  const name = basename(file)
  if (COMPOSE.test(name)) return FORGE.test(file) ? 'maybe' : true
  return MAYBE.test(name) ? 'maybe' : false
}

/** `compose.yaml` and `docker-compose.yml`: what others are laid over. */
export function isBaseName(file: string): boolean {
  return BASE.test(basename(file))
}

export function purposeOf(file: string): ComposePurpose {
  const name = basename(file).replace(/\.ya?ml$/i, '')
  if (DEVELOPMENT.test(name)) return 'development'
  if (PRODUCTION.test(name)) return 'production'
  return DEVELOPMENT_FOLDER.test(file) ? 'development' : 'any'
}
