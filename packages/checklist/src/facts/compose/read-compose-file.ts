import { MAX_PROBLEMS, type YamlFile, type YamlProblem } from '../yaml/read-yaml.ts'
import type { ComposeFile } from './compose.ts'
import { purposeOf } from './compose-purpose.ts'
import { ComposeService } from './compose-service.ts'
import type { ComposeSurroundings } from './compose-surroundings.ts'

/** Makes a compose file of a YAML file. */
export function readComposeFile(yaml: YamlFile, around: ComposeSurroundings): ComposeFile {
  const problems: YamlProblem[] = [...yaml.problems]
  const services: ComposeService[] = []
  const purpose = purposeOf(yaml.source.file)
  const root = yaml.documents[0] ?? null
  const file: ComposeFile = {
    ...yaml,
    problems,
    root,
    purpose,
    isDevelopment: purpose === 'development',
    services,
  }
  const report = (problem: YamlProblem) => {
    if (problems.length < MAX_PROBLEMS) problems.push(problem)
  }

  if (root === null && problems.length === 0)
    report({ message: 'There is nothing in it.', place: yaml.source.placeOf(0) })
  // Compose merges the documents of a file.
  for (const document of yaml.documents) {
    if (!document.isMap) report({ message: 'It is no mapping.', place: document.place })
    const entry = document.entry('services')
    if (entry === null) {
      const old = [...document.entries()].find(({ value }) => value.has('image') || value.has('build'))
      if (old !== undefined)
        report({
          message: 'Its services are not below "services": Compose reads this no more.',
          place: old.keyPlace,
        })
    } else if (!entry.value.isMap && !entry.value.isNull)
      report({ message: '"services" is no mapping.', place: entry.keyPlace })
    for (const service of entry?.value.entries() ?? []) {
      if (service.value.isMap) services.push(new ComposeService(file, service, around))
      else if (!service.key.startsWith('x-') && !service.value.isNull)
        report({ message: `The service "${service.key}" is no mapping.`, place: service.keyPlace })
    }
  }
  return file
}

/** Where files for production stand alone, the others beside them are for development. */
export function markDevelopment(files: readonly ComposeFile[], around: ComposeSurroundings): void {
  for (const file of files) {
    if (file.purpose !== 'any') continue
    const others = around.beside(file).filter(({ purpose }) => purpose === 'production')
    // One that leaves services of this file as they are is laid over it.
    const standAlone = others.some(
      ({ services }) => services.length > 0 && services.every((service) => service.isWhole),
    )
    if (standAlone) file.isDevelopment = true
  }
}
