import type { Detection, FrameworkContract, FrameworkOptions, SourceTree } from '@havn/plugin-api'
import { errors } from '../errors.ts'

/** A framework plugin that recognised the source tree. */
export interface DetectedApp {
  framework: FrameworkContract
  frameworkId: string
  detection: Detection
}

export interface NamedFramework {
  id: string
  instance: FrameworkContract
}

/**
 * Asks every detector; the surest wins, and the order of plugins breaks a tie.
 *
 * @param only short name of the one detector to ask.
 * @throws HAVN_ERR_APP_NOT_FOUND, HAVN_ERR_FRAMEWORK_UNKNOWN
 */
export async function detectApp(input: {
  tree: SourceTree
  frameworks: readonly NamedFramework[]
  options: FrameworkOptions
  only?: string
}): Promise<DetectedApp> {
  const { tree, options, only } = input
  const asked =
    only === undefined
      ? input.frameworks
      : input.frameworks.filter(({ id }) => id === only || id === `framework.${only}`)
  if (only !== undefined && asked.length === 0) {
    const known = input.frameworks.map(({ id }) => id.replace('framework.', ''))
    throw errors.HAVN_ERR_FRAMEWORK_UNKNOWN({ name: only, known })
  }

  let best: DetectedApp | null = null
  for (const { id, instance } of asked) {
    const detection = await instance.detect(tree, options)
    if (detection && detection.confidence > (best?.detection.confidence ?? 0)) {
      best = { framework: instance, frameworkId: id, detection }
    }
  }
  if (best) return best
  const lookedFor = asked.flatMap(({ instance }) => instance.looksFor)
  throw errors.HAVN_ERR_APP_NOT_FOUND({ directory: tree.root, lookedFor })
}
