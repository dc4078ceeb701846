import { defineRule, serverCommands } from '@havn/checklist'
import type { ServerCommand, ServerName } from '@havn/checklist'
import type { CheckRule, FindingReport } from '@havn/plugin-api'

type Needs = { serverCommands: typeof serverCommands }
type Declared = Omit<CheckRule<Needs>, 'needs' | 'check' | 'options' | 'docs'>

/** What is told of a command; its place is the command's, where none is named. */
export type CommandReport = Omit<FindingReport, 'resource'>

export interface CommandRule extends Declared {
  /** Its examples are Dockerfiles, where no other language is named. */
  docs: Omit<CheckRule['docs'], 'language'> & { language?: string }
  /** Servers that it is about; all, where left out. */
  servers?: readonly ServerName[]
  find(command: ServerCommand): CommandReport | readonly CommandReport[] | null
}

/**
 * A rule over each command that starts a server in production, by itself. What a service or a container has of its image
 * is the image's: it is told once.
 */
export function defineCommandRule({ servers, find, docs, ...declared }: CommandRule): CheckRule<Needs> {
  return defineRule({
    ...declared,
    docs: { language: 'dockerfile', ...docs },
    needs: { serverCommands },
    check({ facts, report }) {
      const told = new Set<string>()
      for (const command of productionCommands(facts.serverCommands)) {
        if (servers !== undefined && !servers.includes(command.server)) continue
        for (const found of [find(command) ?? []].flat()) {
          const place = found.place ?? command.place
          // A script that several services run, and a file that several commands read.
          const key = JSON.stringify([place, found.message])
          if (told.has(key)) continue
          told.add(key)
          const { resource } = command.origin
          report({
            ...found,
            place,
            ...(resource !== null && { resource }),
            related: [...(found.related ?? []), ...ways(command)],
          })
        }
      }
    },
  })
}

/** Commands that are neither for development, nor another one's. */
export function productionCommands(commands: readonly ServerCommand[]): ServerCommand[] {
  return commands.filter(({ isInherited, origin }) => !isInherited && !origin.isDevelopment)
}

/** What leads to a command. */
function ways({ via }: ServerCommand): { message: string; place: FindingPlace }[] {
  return via.map((place) => ({ message: 'it is started from here', place }))
}

type FindingPlace = NonNullable<FindingReport['place']>

/** A command whose configuration file is in the project, or that has none: what it does not set, is not set. */
export function isConfigKnown({ options }: ServerCommand): boolean {
  const names = options.some(({ name }) =>
    /^(?:config|ini|yaml|yml|xml|json|ini-paste|emperor|log-config)$/.test(name),
  )
  return !names || options.some(({ from }) => from === 'file')
}
