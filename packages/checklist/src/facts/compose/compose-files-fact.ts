import { dirname, join } from 'node:path/posix'
import type { SourceTree } from '@havn/plugin-api'
import { defineFact } from '../../define.ts'
import { SourceText } from '../../source/source-text.ts'
import { sourceFiles } from '../source-files.ts'
import { readYaml } from '../yaml/read-yaml.ts'
import type { ComposeFile } from './compose.ts'
import { isComposeName } from './compose-purpose.ts'
import { ComposeSurroundings } from './compose-surroundings.ts'
import { markDevelopment, readComposeFile } from './read-compose-file.ts'
import { parseEnvFile, readEnvFiles } from './read-environment.ts'

const LOOKS_LIKE_ONE = /^services:[ \t]*(?:#.*)?\r?$[^]*^[ \t]+(?:image|build):/m
const MAX_FILES = 200

/** All compose files of the project. */
export const composeFiles = defineFact<readonly ComposeFile[]>({
  id: 'compose-files',
  title: 'Compose files',
  async collect({ tree, get, signal }) {
    const around = new ComposeSurroundings()
    const files: ComposeFile[] = []
    for (const name of (await get(sourceFiles)) ?? []) {
      signal.throwIfAborted()
      const isNamed = isComposeName(name)
      if (isNamed === false) continue
      const text = await tree.read(name)
      if (isNamed === 'maybe' && !LOOKS_LIKE_ONE.test(text ?? '')) continue
      // Passed over, it would pass.
      if (files.length === MAX_FILES) throw new Error(`There are more than ${MAX_FILES} compose files`)
      const file =
        text === null ? unreadable(name) : readComposeFile(readYaml(new SourceText(name, text)), around)
      files.push(file)
      around.addFile(file)
    }
    if (files.length === 0) return null
    markDevelopment(files, around)
    await readVariables(files, around, tree)
    return files
  },
})

/** It is there, or its name would not be. */
function unreadable(name: string): ComposeFile {
  const source = new SourceText(name, '')
  const message = 'It is larger than 4 MiB, no file, or a link out of the project.'
  const problems = [{ message, place: source.placeOf(0) }]
  return { source, documents: [], problems, root: null, purpose: 'any', isDevelopment: false, services: [] }
}

async function readVariables(files: readonly ComposeFile[], around: ComposeSurroundings, tree: SourceTree) {
  const read = async (name: string) => {
    const text = await tree.read(name)
    return text === null ? null : parseEnvFile(new SourceText(name, text))
  }
  for (const folder of new Set(files.map(({ source }) => dirname(source.file)))) {
    const variables = await read(join(folder, '.env'))
    if (variables !== null) around.addVariables(folder, variables)
  }
  const wanted = files.flatMap((file) =>
    file.services.flatMap(({ node }) => readEnvFiles(node, file, around).flatMap((each) => each.file ?? [])),
  )
  for (const name of new Set(wanted)) {
    const variables = await read(name)
    if (variables !== null) around.addEnvFile(name, variables)
  }
}
