import type { ComposeFile, ComposeService } from '@havn/checklist'
import type { Fix, Severity } from '@havn/plugin-api'

/** Profiles and names of services that are started by hand, or on one's own machine. */
const DEVELOPMENT =
  /^(?:dev|devel|development|debug|test|tests|testing|ci|e2e|local|tools?|docs|mailhog|mailpit|maildev)$/i
const ONE_SHOT =
  /\b(?:migrate|makemigrations|collectstatic|createsuperuser|loaddata|init|initdb|seed|setup|upgrade|create-bucket|mc)\b/i

/** All services of all files, those for development included. */
export function allServices(files: readonly ComposeFile[]): ComposeService[] {
  return files.flatMap(({ services }) => services)
}

/** The services that may run in production. */
export function productionServices(files: readonly ComposeFile[]): ComposeService[] {
  return allServices(files).filter((service) => !isDevelopment(service))
}

/** Those of them that say all about themselves: what is missing in an overlay may be in the file below it. */
export function wholeServices(files: readonly ComposeFile[]): ComposeService[] {
  return productionServices(files).filter(({ isWhole, base }) => isWhole && base === null)
}

export function isDevelopment({ file, name, profiles }: ComposeService): boolean {
  const isByHand = profiles.length > 0 && profiles.every((profile) => DEVELOPMENT.test(profile))
  return file.isDevelopment || isByHand || DEVELOPMENT.test(name)
}

/** The file says that it is to stay up: by its name, or because it starts something anew. */
export function isMeantToStay({ file }: ComposeService): boolean {
  return (
    file.purpose === 'production' ||
    file.services.some(
      ({ node }) =>
        (node.at('restart')?.text ?? 'no') !== 'no' || node.at('deploy', 'restart_policy') !== null,
    )
  )
}

/** For what is right on one's own machine: this severity where the file is meant to stay up, and a note elsewhere. */
export function whereItStays(service: ComposeService, severity: Severity): Severity {
  return isMeantToStay(service) ? severity : 'info'
}

/** It ends by itself: a job that others wait for, or that its command names. */
export function isOneShot(service: ComposeService): boolean {
  const command = [...(service.entrypoint?.words ?? []), ...(service.command?.words ?? [])]
  const isAwaited = service.file.services.some(({ dependsOn }) =>
    dependsOn.some(
      ({ name, condition }) => name === service.name && condition === 'service_completed_successfully',
    ),
  )
  return (
    isAwaited ||
    ONE_SHOT.test(service.name) ||
    (ONE_SHOT.test(command.join(' ')) && !/serve|gunicorn|uvicorn|runserver/.test(command.join(' ')))
  )
}

/** Writes a line at the beginning of a service; none where it is not in block style, or an alias. */
export function insertLine({ node }: ComposeService, line: string, title: string): Fix[] {
  const { source, start, place } = node
  const before = source.lineAt(place.line).slice(0, place.column - 1)
  if (before.trim() !== '' || source.text[start] === '{') return []
  return [
    {
      title,
      safety: 'suggested',
      edits: [{ file: source.file, start, end: start, text: `${line}\n${before}` }],
    },
  ]
}
