import { defineRule, dockerfiles, isSecretName, isSecretVariable } from '@havn/checklist'
import type { DockerInstruction, DockerWord } from '@havn/checklist'
import { nameOf } from '../walk.ts'

export const secretInEnv = defineRule({
  id: 'dockerfile.secret-in-env',
  title: 'A secret is in the image',
  severity: 'error',
  confidence: 'likely',
  hint: 'Mount it while you build (RUN --mount=type=secret,id=NAME), or give it to the container when it starts.',
  references: [
    'DL3064',
    'SecretsUsedInArgOrEnv',
    'CIS-DI-0010',
    'https://docs.docker.com/build/building/secrets/',
  ],
  docs: {
    language: 'dockerfile',
    what: 'Finds `ENV` and `ARG` whose names are those of secrets and that have a value, and values with a password in a URL; a warning for an `ARG` without one, which the build is given.',
    why: 'Both stay in the image and its history: `docker history` shows them to whoever can pull it.',
    bad: 'FROM python:3.13-slim\nENV SECRET_KEY=kmqz1vwj\n',
    good: 'FROM python:3.13-slim\nRUN --mount=type=secret,id=SECRET_KEY,env=SECRET_KEY python manage.py collectstatic\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const file of facts.dockerfiles) {
      const all = [
        ...file.preamble.map((instruction) => ({ instruction, resource: undefined })),
        ...file.stages.flatMap((stage) =>
          stage.instructions.map((instruction) => ({ instruction, resource: nameOf(file, stage) })),
        ),
      ]
      for (const { instruction, resource } of all)
        for (const { name, value, word } of variablesOf(instruction)) {
          const isTaken = value === null && isSecretName(name)
          if (!isTaken && !isSecretVariable(name, value ?? '')) continue
          report({
            message: isTaken
              ? `ARG ${name} takes a secret, which the image's history shows.`
              : `${instruction.keyword} ${name} keeps its value in the image.`,
            place: word.place,
            resource,
            severity: isTaken ? 'warn' : undefined,
            isSensitive: true,
          })
        }
    }
  },
})

interface Variable {
  name: string
  /** Null for an `ARG` that the build is given. */
  value: string | null
  word: DockerWord
}

function variablesOf({ keyword, words }: DockerInstruction): Variable[] {
  if (keyword !== 'ENV' && keyword !== 'ARG') return []
  const [first, ...rest] = words
  // The old form: `ENV NAME the whole rest`.
  if (keyword === 'ENV' && first !== undefined && !first.text.includes('='))
    return [{ name: first.text, value: rest.map(({ text }) => text).join(' '), word: first }]
  return words.flatMap((word): Variable[] => {
    const equals = word.text.indexOf('=')
    if (equals === -1) return keyword === 'ARG' ? [{ name: word.text, value: null, word }] : []
    return [{ name: word.text.slice(0, equals), value: word.text.slice(equals + 1), word }]
  })
}
