import type { SourceText } from '../../source/source-text.ts'
import { readYaml } from '../yaml/read-yaml.ts'
import type { Requirement } from './requirement.ts'
import { toPythonRequirement } from './read-requirements-file.ts'

/** `default` and `develop` of Pipfile.lock. */
export function readPipfileLock(source: SourceText): Requirement[] {
  const [root] = readYaml(source).documents
  return ['default', 'develop'].flatMap((key) =>
    [...(root?.at(key)?.entries() ?? [])].map(({ key: name, keyPlace, value }) => ({
      ...toPythonRequirement(name, value.at('version')?.text ?? ''),
      isDevelopment: key === 'develop',
      place: keyPlace,
    })),
  )
}
