import { basename } from 'node:path/posix'

const EXAMPLE_FOLDER =
  /(?:^|\/)(?:tests?|__tests__|testing|testdata|spec|specs|fixtures?|__fixtures__|mocks?|__mocks__|examples?|samples?|demos?|docs?|documentation|e2e|cypress|benchmarks?|site-packages)\//i
const EXAMPLE_FILE =
  /^(?:test_.*|.*_tests?|tests?|conftest)\.\w+$|\.(?:test|spec|stories)\.\w+$|\.(?:md|mdx|rst|adoc)$|^(?:PKG-INFO|METADATA)$|\.(?:example|sample|template|dist|tmpl|tpl)(?:\.\w+)?$/i

/** Tests, docs and examples: what lies there is mostly made for them. Packages of others have theirs in their docstrings. */
export function isExample(file: string): boolean {
  return EXAMPLE_FOLDER.test(file) || EXAMPLE_FILE.test(basename(file))
}

/** `.env`, `.env.production`, `prod.env`. */
export function isEnvironmentFile(file: string): boolean {
  return /^\.env(?:rc)?(?:[.-][\w.-]+)?$|^[\w-]+\.env$/i.test(basename(file))
}

/** `.env.example` and the like show names, and are there to be tracked. */
export function isEnvironmentTemplate(file: string): boolean {
  return /(?:^|[._-])(?:example|sample|template|dist|tmpl|tpl|defaults?|test|tests|testing|ci|schema|vault|enc|encrypted)(?=[._-]|$)/i.test(
    basename(file),
  )
}
