import { defineFact } from '../../define.ts'
import { composeFiles } from '../compose/compose-files-fact.ts'
import { dockerfiles } from '../dockerfile/dockerfiles-fact.ts'
import { manifests } from '../kubernetes/manifests-fact.ts'
import { sourceFiles } from '../source-files.ts'
import { CommandReader } from './command-reader.ts'
import { fromCompose } from './from-compose.ts'
import { fromDockerfiles } from './from-dockerfiles.ts'
import { fromHostFile, isHostFile } from './from-host-files.ts'
import { fromManifests } from './from-manifests.ts'
import type { ServerCommand } from './server-command.ts'

const MAX_FILES = 5_000

/**
 * Every command by which something in the project starts a server: images, compose's services, containers of Kubernetes,
 * Procfiles, scripts of package.json, systemd units, supervisor's programs; through scripts, npm and programs that run others, with what their configuration files and
 * variables say. Nothing is run to find them.
 */
export const serverCommands = defineFact<readonly ServerCommand[]>({
  id: 'server-commands',
  title: 'Commands that start servers',
  async collect({ tree, get, signal }) {
    const files = (await get(sourceFiles)) ?? []
    const reader = new CommandReader(tree, files)
    const images = (await get(dockerfiles)) ?? []
    const found = [
      ...(await fromDockerfiles(reader, images)),
      ...(await fromCompose(reader, (await get(composeFiles)) ?? [], images)),
      ...(await fromManifests(reader, (await get(manifests))?.objects ?? [], images)),
    ]
    for (const file of files.filter(isHostFile).slice(0, MAX_FILES)) {
      signal.throwIfAborted()
      const source = await reader.open(file)
      if (source !== null) found.push(...(await fromHostFile(reader, source)))
    }
    return found.length > 0 ? withoutTwins(found) : null
  },
})

/** A script that two others run is read twice. */
function withoutTwins(commands: readonly ServerCommand[]): ServerCommand[] {
  const seen = new Set<string>()
  return commands.filter(({ place, origin }) => {
    const key = JSON.stringify([place, origin.file, origin.resource])
    return !seen.has(key) && seen.add(key)
  })
}
