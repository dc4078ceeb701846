import { join } from 'node:path/posix'
import { defineRule, dockerContexts, dockerfiles } from '@havn/checklist'
import type { DockerInstruction } from '@havn/checklist'
import { instructionsOf } from '../walk.ts'

/** What has no place in an image, and why. */
const UNWANTED: readonly { name: RegExp; why: string; isSecret: boolean }[] = [
  {
    name: /^\.env(?!.*[.-](?:examples?|samples?|template|tmpl|dist|defaults?)$)(?:\..+)?$/,
    why: 'secrets',
    isSecret: true,
  },
  { name: /^\.git\/$/, why: 'the whole history', isSecret: true },
  { name: /^(?:\.?venv|env|node_modules)\/$/, why: 'packages of another machine', isSecret: false },
]

export const ignoreGaps = defineRule({
  id: 'dockerfile.ignore-gaps',
  title: 'The image gets what lies about in the project',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Name it in .dockerignore, or copy by name what the app needs.',
  references: ['https://docs.docker.com/build/concepts/context/#dockerignore-files'],
  docs: {
    language: 'text',
    what: 'Finds `COPY .` and `ADD .` where `.env` files, `.git`, virtual environments or `node_modules` lie in the project, and `.dockerignore` does not leave them out.',
    why: 'Who can pull the image can read the secrets and the history in it; packages of another machine overwrite those that were installed.',
    bad: '# .dockerignore, where the Dockerfile has COPY . /app\n.git\n',
    good: '# .dockerignore, where the Dockerfile has COPY . /app\n.git\n.env*\n.venv\nnode_modules\n',
  },
  needs: { dockerfiles, dockerContexts },
  check({ facts, report }) {
    for (const { file, instruction } of instructionsOf(facts.dockerfiles)) {
      if (!copiesAll(instruction)) continue
      const { folder, names, ignore } = facts.dockerContexts.get(file.source.file)!
      const found = names.flatMap((name) => {
        const unwanted = UNWANTED.find((each) => each.name.test(name))
        const path = name.replace(/\/$/, '')
        return unwanted === undefined || ignore?.ignores(path) ? [] : [{ ...unwanted, path }]
      })
      if (found.length === 0) continue
      const list = found.map(({ path, why }) => `${join(folder, path)} (${why})`).join(', ')
      const missing = ignore === null ? 'there is no .dockerignore' : `${ignore.file} does not leave it out`
      report({
        message: `It copies ${list}: ${missing}.`,
        place: instruction.place,
        severity: found.some(({ isSecret }) => isSecret) ? 'warn' : 'info',
      })
    }
  },
})

/** From the context, not from another stage; a heredoc holds what it copies. */
function copiesAll({ keyword, flags, exec, words, heredocs }: DockerInstruction): boolean {
  if (keyword !== 'COPY' && keyword !== 'ADD') return false
  if (heredocs.length > 0 || flags.some(({ name }) => name === 'from')) return false
  const sources = (exec ?? words.map(({ text }) => text)).slice(0, -1)
  return sources.some((source) => /^(?:\.\/?|\/|\*)$/.test(source))
}
