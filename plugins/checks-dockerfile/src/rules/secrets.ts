import { defineRule, dockerfiles } from '@havn/checklist'
import type { DockerInstruction, DockerWord } from '@havn/checklist'
import { nameOf } from '../walk.ts'

/** As BuildKit's SecretsUsedInArgOrEnv has it, with what web apps call theirs. */
const SECRET_NAME =
  /(?:^|_)(?:apikey|auth|credentials?|key|password|passwd|pword|secret|token|pgpassword|dsn)(?:_|$)|^(?:database|redis|broker|celery_broker)_url$/i
const PUBLIC_NAME =
  /(?:^|_)(?:public|pub|file|path|dir|name|id|host|header|expir\w*|length|ttl|algorithm|url)(?:_|$)/i
/** A URL with a password in it. */
const URL_WITH_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:[^\s:/@$]+@/i

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
    what: 'Finds `ENV` and `ARG` whose names are those of secrets and that have a value, and values with a password in a URL.',
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
        for (const { name, value, word } of variablesOf(instruction))
          if (isSecret(name, value))
            report({
              message: `${instruction.keyword} ${name} keeps its value in the image.`,
              place: word.place,
              resource,
              isSensitive: true,
            })
    }
  },
})

function isSecret(name: string, value: string): boolean {
  // Empty, or put in from elsewhere: the value is not here.
  if (value === '' || /^\$\{?\w+\}?$/.test(value)) return false
  if (URL_WITH_PASSWORD.test(value)) return true
  return SECRET_NAME.test(name) && !PUBLIC_NAME.test(name) && !/_url$/i.test(name)
}

function variablesOf({
  keyword,
  words,
}: DockerInstruction): { name: string; value: string; word: DockerWord }[] {
  if (keyword !== 'ENV' && keyword !== 'ARG') return []
  const [first, ...rest] = words
  // The old form: `ENV NAME the whole rest`.
  if (keyword === 'ENV' && first !== undefined && !first.text.includes('='))
    return [{ name: first.text, value: rest.map(({ text }) => text).join(' '), word: first }]
  return words.flatMap((word) => {
    const equals = word.text.indexOf('=')
    return equals === -1
      ? []
      : [{ name: word.text.slice(0, equals), value: word.text.slice(equals + 1), word }]
  })
}
