import { defineRule, dockerfiles, parseShell, shellOf } from '@havn/checklist'
import type { DockerInstruction } from '@havn/checklist'
import type { Fix } from '@havn/plugin-api'
import { commandsOf, finalInstructions, instructionsOf } from '../walk.ts'

const docs = { language: 'dockerfile' }

export const shellForm = defineRule({
  id: 'dockerfile.shell-form',
  title: 'The app runs behind a shell',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write a JSON list: CMD ["gunicorn", "shop.wsgi"]; or begin with exec where a shell is needed.',
  references: ['DL3025', 'JSONArgsRecommended', 'KICS b86987e1'],
  docs: {
    ...docs,
    what: 'Finds `CMD` and `ENTRYPOINT` in shell form, without `exec`, in the stage that is built by default.',
    why: 'The shell is process 1 and passes no signals on: a stop waits for its deadline and then kills, with requests in flight.',
    bad: 'FROM python:3.13-slim\nCMD gunicorn shop.wsgi --bind :$PORT\n',
    good: 'FROM python:3.13-slim\nCMD exec gunicorn shop.wsgi --bind :$PORT\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const file of facts.dockerfiles)
      for (const instruction of lastOnes(finalInstructions(file)))
        if (
          instruction.exec === null &&
          instruction.rest.text !== '' &&
          !/(?:^|&&\s*|;\s*)exec\s/.test(instruction.rest.text)
        )
          report({
            message: `${instruction.keyword} is in shell form.`,
            place: instruction.place,
            fixes: execFix(instruction),
          })
  },
})

/** One simple command may take the shell's place; of several, the shell must see to the next. */
function execFix({ rest }: DockerInstruction): Fix[] {
  const commands = parseShell(rest)
  if (commands.length !== 1 || /[;&|()<>`]|^\s*[A-Za-z_]\w*=/.test(rest.text)) return []
  const start = rest.offsetOf(rest.text.search(/\S/))
  const edit = { file: rest.source.file, start, end: start, text: 'exec ' }
  return [{ title: 'Let the app take the place of the shell', safety: 'suggested', edits: [edit] }]
}

/** The last `CMD` and the last `ENTRYPOINT`: Docker forgets the others. */
function lastOnes(instructions: readonly DockerInstruction[]): DockerInstruction[] {
  return ['ENTRYPOINT', 'CMD'].flatMap(
    (keyword) => instructions.findLast((each) => each.keyword === keyword) ?? [],
  )
}

export const healthcheckMissing = defineRule({
  id: 'dockerfile.healthcheck-missing',
  title: 'The image has no health check',
  severity: 'info',
  confidence: 'likely',
  hint: 'Add HEALTHCHECK, unless whatever runs the image has a probe of its own.',
  references: ['DL3057', 'CKV_DOCKER_2', 'CIS-DI-0006', 'KICS b03a748a'],
  docs: {
    ...docs,
    what: 'Finds images without `HEALTHCHECK` that start something, by themselves or by the image that they are made from.',
    why: 'Docker and compose take a process that hangs for one that works.',
    bad: 'FROM python:3.13-slim\nUSER 10001\nCMD ["gunicorn", "shop.wsgi"]\n',
    good: 'FROM python:3.13-slim\nUSER 10001\nHEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen(\'http://127.0.0.1:8000/\')"]\nCMD ["gunicorn", "shop.wsgi"]\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const file of facts.dockerfiles) {
      const instructions = finalInstructions(file)
      if (file.final === null || instructions.some(({ keyword }) => keyword === 'HEALTHCHECK')) continue
      const [start] = lastOnes(instructions)
      if (start !== undefined)
        report({ message: 'It starts something, and nobody asks whether it works.', place: start.place })
      else if (file.final.image !== 'scratch')
        report({
          message: `What ${file.final.image} starts, nobody asks whether it works; unless that image does.`,
          place: file.final.from.place,
          confidence: 'possible',
        })
    }
  },
})

export const pipefail = defineRule({
  id: 'dockerfile.pipefail',
  title: 'A failure in a pipe goes unseen',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Set SHELL ["/bin/bash", "-o", "pipefail", "-c"] before it, or save to a file first.',
  references: ['DL4006', 'KICS efbf148a'],
  docs: {
    ...docs,
    what: 'Finds `RUN` with a pipe where the shell does not have `pipefail`.',
    why: 'The pipe’s result is that of its last command: a download that broke off builds an image all the same.',
    bad: 'FROM debian:13-slim\nRUN curl -fsS https://example.org/list | sort > /list\n',
    good: 'FROM debian:13-slim\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN curl -fsS https://example.org/list | sort > /list\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { stage, instruction } of instructionsOf(facts.dockerfiles, 'RUN')) {
      const commands = shellOf(instruction)
      const piped = commands.find(({ operator }) => operator === '|')
      if (piped === undefined) continue
      const before = stage.instructions.slice(0, stage.instructions.indexOf(instruction))
      const shell = before.findLast(({ keyword }) => keyword === 'SHELL')?.exec ?? []
      const isSet = shell.includes('pipefail') || /powershell|pwsh|cmd/i.test(shell[0] ?? '')
      const setsIt = commands.some(
        ({ program, args }) => program === 'set' && args.some(({ text }) => text === 'pipefail'),
      )
      if (!isSet && !setsIt)
        report({ message: `What fails before the last pipe is not seen.`, place: piped.place })
    }
  },
})

const DEVELOPMENT: readonly { name: string; matches: (words: string) => boolean }[] = [
  {
    name: "Django's runserver",
    matches: (words) => /manage\.py\b.* runserver|django-admin.* runserver/.test(words),
  },
  {
    name: "Flask's development server",
    matches: (words) => /\bflask\b(?: --?\S+(?: \S+)?)* run\b/.test(words),
  },
  {
    name: 'a server that reloads on change',
    matches: (words) => /(?:gunicorn|uvicorn|hypercorn|granian)\b.* --reload\b/.test(words),
  },
  { name: 'nodemon', matches: (words) => /\bnodemon\b/.test(words) },
  { name: 'a development script', matches: (words) => /\b(?:npm|pnpm|yarn)(?: run)? dev\b/.test(words) },
]

export const developmentServer = defineRule({
  id: 'dockerfile.development-server',
  title: 'The image starts a development server',
  severity: 'error',
  confidence: 'likely',
  hint: 'Start an application server: platform serve, gunicorn, uvicorn without --reload.',
  references: ['https://docs.djangoproject.com/en/5.2/ref/django-admin/#runserver'],
  docs: {
    ...docs,
    what: 'Finds `runserver`, `flask run`, `--reload`, nodemon and `npm run dev` as what the last stage starts.',
    why: 'Such servers are neither fast nor safe: they show tracebacks, restart on change, and serve one at a time.',
    bad: 'FROM python:3.13-slim\nCMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]\n',
    good: 'FROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const file of facts.dockerfiles)
      for (const instruction of lastOnes(finalInstructions(file))) {
        const words = instruction.exec?.join(' ') ?? instruction.rest.text.replaceAll(/\s+/g, ' ')
        const found = DEVELOPMENT.find(({ matches }) => matches(words))
        if (found !== undefined) report({ message: `It starts ${found.name}.`, place: instruction.place })
      }
  },
})

const KNOWN = new Set(
  'FROM RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD STOPSIGNAL HEALTHCHECK SHELL'.split(
    ' ',
  ),
)

export const unknownInstruction = defineRule({
  id: 'dockerfile.unknown-instruction',
  title: 'Docker does not know an instruction',
  severity: 'error',
  confidence: 'certain',
  hint: 'Correct it, or end the line before it with a backslash.',
  references: ['https://docs.docker.com/reference/dockerfile/'],
  docs: {
    ...docs,
    what: 'Finds words at the beginning of a line that are no instruction.',
    why: 'The build fails, and other rules may have read the file wrongly.',
    bad: 'FROM debian:13-slim\nRUN apt-get update &&\n  apt-get install curl\n',
    good: 'FROM debian:13-slim\nRUN apt-get update && \\\n  apt-get install curl\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const file of facts.dockerfiles)
      for (const { keyword, place } of [
        ...file.preamble,
        ...file.stages.flatMap(({ instructions }) => instructions),
      ])
        if (!KNOWN.has(keyword)) report({ message: `${keyword.slice(0, 40)} is no instruction.`, place })
  },
})

export const curlPipeShell = defineRule({
  id: 'dockerfile.curl-pipe-shell',
  title: 'A script from the network is run as it comes',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Load it to a file, check its digest, then run it; or install the package.',
  references: ['https://docs.docker.com/build/building/best-practices/#run'],
  docs: {
    ...docs,
    what: 'Finds `curl` or `wget` whose output goes to a shell or an interpreter.',
    why: 'Whoever answers runs what they like in your build, with its secrets, and nothing tells two builds apart.',
    bad: 'FROM debian:13-slim\nRUN curl -fsSL https://example.org/install.sh | sh\n',
    good: 'FROM debian:13-slim\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/install.sh /tmp/\nRUN sh /tmp/install.sh\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { command, layer } of commandsOf(facts.dockerfiles)) {
      const { program, operator, place } = command
      if (!/^(?:curl|wget)$/.test(program) || operator !== '|') continue
      const next = layer[layer.indexOf(command) + 1]
      if (next !== undefined && /^(?:sh|bash|dash|zsh|ash|python[0-9.]*|node|perl|ruby)$/.test(next.program))
        report({ message: `What ${program} loads is run by ${next.program}.`, place })
    }
  },
})
