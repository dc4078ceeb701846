import { defineRule, dockerfiles } from '@havn/checklist'
import type { DockerStage } from '@havn/checklist'
import { commandsOf, finalInstructions, operandsOf } from '../walk.ts'

const docs = { language: 'dockerfile' }

export const userRoot = defineRule({
  id: 'dockerfile.user-root',
  title: 'The container runs as root',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Make a user and name it before CMD: RUN useradd --system --uid 10001 app, then USER 10001.',
  references: ['DL3002', 'CKV_DOCKER_3', 'CKV_DOCKER_8', 'CIS-DI-0001', 'KICS fd54f200', 'KICS 67fd0c4a'],
  docs: {
    ...docs,
    what: 'Finds final stages that end with `USER root`, or never name a user.',
    why: 'Whoever breaks into the app is root in the container, one kernel bug or one wrong mount away from the host.',
    bad: 'FROM python:3.13-slim\nCOPY . /app\nCMD ["python", "/app/serve.py"]\n',
    good: 'FROM python:3.13-slim\nCOPY . /app\nRUN useradd --system --uid 10001 app\nUSER 10001\nCMD ["python", "/app/serve.py"]\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const file of facts.dockerfiles) {
      if (file.final === null) continue
      const user = finalInstructions(file).findLast(({ keyword }) => keyword === 'USER')
      const name = user?.words[0]?.text.split(':')[0] ?? ''
      if (user === undefined && /(?:^|\/)distroless\/.*nonroot|nonroot/.test(file.final.image)) continue
      if (user === undefined) report({ ...unnamed(file.final), place: file.final.from.place })
      else if (name === 'root' || name === '0')
        report({ message: `The last USER is ${name}.`, place: user.place })
    }
  },
})

/** The official images leave root as the user; another's image may have named one of its own. */
function unnamed({ image }: DockerStage): { message: string; confidence?: 'likely' } {
  const isKnown = image === 'scratch' || !image.replace(/^(?:docker\.io\/)?library\//, '').includes('/')
  return isKnown
    ? { message: 'No USER is named: the container runs as root.' }
    : {
        message: `No USER is named: the container runs as root, unless ${image} names another.`,
        confidence: 'likely',
      }
}

export const sudo = defineRule({
  id: 'dockerfile.sudo',
  title: 'sudo is used in a build',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Run the command before USER, where the build is root, and leave sudo out of the image.',
  references: ['DL3004', 'CKV2_DOCKER_1', 'DKL-DI-0001', 'KICS 8ada6e80'],
  docs: {
    ...docs,
    what: 'Finds `sudo` in `RUN`.',
    why: 'It needs to be in the image, and lets whoever breaks in become root.',
    bad: 'FROM debian:13-slim\nRUN sudo apt-get install --yes curl\n',
    good: 'FROM debian:13-slim\nRUN apt-get install --yes curl\nUSER 10001\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { command, isBySudo } of commandsOf(facts.dockerfiles))
      if (isBySudo) report({ message: 'sudo runs in the build.', place: command.place })
  },
})

const SETUID = /^(?:[2467][0-7]{3}|0[2467][0-7]{3}|(?:[augo]*)\+[rwxt]*s[rwxst]*)$/

export const setuid = defineRule({
  id: 'dockerfile.setuid',
  title: 'A file gets the setuid or setgid bit',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Give the app what it needs by its user and groups, and leave the bit away.',
  references: ['CIS-DI-0008'],
  docs: {
    ...docs,
    what: 'Finds `chmod` with a mode that sets the setuid or setgid bit.',
    why: 'Such a file runs with its owner’s rights, whoever starts it: the first thing that an intruder looks for.',
    bad: 'FROM debian:13-slim\nRUN chmod u+s /usr/bin/tool\n',
    good: 'FROM debian:13-slim\nRUN chmod 0755 /usr/bin/tool\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { command } of commandsOf(facts.dockerfiles)) {
      if (command.program !== 'chmod') continue
      const mode = operandsOf(command)[0]
      if (mode !== undefined && SETUID.test(mode.text))
        report({ message: `chmod ${mode.text} sets it.`, place: command.place })
    }
  },
})
