import { join } from 'node:path/posix'
import { defineRule, dockerfiles } from '@havn/checklist'
import type { ShellCommand } from '@havn/checklist'
import { commandsOf, instructionsOf, nameOf } from '../walk.ts'

const docs = { language: 'dockerfile' }
const ARCHIVE = /\.(?:tar|tar\.\w+|tgz|tbz2?|txz|zst)$/i

export const addForCopy = defineRule({
  id: 'dockerfile.add-for-copy',
  title: 'ADD copies plain files',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write COPY, which only copies.',
  references: ['DL3020', 'CIS-DI-0009', 'CKV_DOCKER_4', 'KICS 9513a694'],
  docs: {
    ...docs,
    what: 'Finds `ADD` of files that are neither archives nor behind a URL.',
    why: 'ADD unpacks archives and loads URLs: what a name means to it depends on what is in the file.',
    bad: 'FROM python:3.13-slim\nADD . /app\n',
    good: 'FROM python:3.13-slim\nCOPY . /app\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { file, stage, instruction } of instructionsOf(facts.dockerfiles, 'ADD')) {
      if (instruction.heredocs.length > 0) continue
      const sources = (instruction.exec ?? instruction.words.map(({ text }) => text)).slice(0, -1)
      const isPlain = sources.every((each) => !ARCHIVE.test(each) && !/^(?:https?:|git@|git:)/.test(each))
      if (!isPlain || sources.length === 0) continue
      // What a variable holds may be an archive, or behind a URL.
      const isKnown = sources.every((each) => !each.includes('$'))
      const [start] = file.source.offsetsOf(instruction.place)
      report({
        message: `ADD copies ${sources.map((each) => JSON.stringify(each)).join(', ')}.`,
        place: instruction.place,
        resource: nameOf(file, stage),
        confidence: isKnown ? undefined : 'possible',
        fixes: [
          {
            title: 'Write COPY',
            safety: isKnown ? 'safe' : 'suggested',
            edits: [{ file: file.source.file, start, end: start + 'ADD'.length, text: 'COPY' }],
          },
        ],
      })
    }
  },
})

export const workdirRelative = defineRule({
  id: 'dockerfile.workdir-relative',
  title: 'WORKDIR is relative',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write it from the root: WORKDIR /app.',
  references: ['DL3000', 'WorkdirRelativePath', 'CKV_DOCKER_10', 'KICS 6b376af8'],
  docs: {
    ...docs,
    what: 'Finds `WORKDIR` with a path that does not begin at the root; a note where an absolute one is before it in the stage.',
    why: 'Where it leads depends on the base image, and changes with it.',
    bad: 'FROM python:3.13-slim\nWORKDIR app\n',
    good: 'FROM python:3.13-slim\nWORKDIR /app\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const file of facts.dockerfiles)
      for (const stage of file.stages) {
        let above: string | null = null
        for (const instruction of stage.instructions) {
          const [word] = instruction.words
          if (instruction.keyword !== 'WORKDIR' || word === undefined || word.text === '') continue
          const path = word.text
          if (/^(?:\/|[A-Za-z]:|\$)/.test(path)) {
            above = path
            continue
          }
          const [start, end] = file.source.offsetsOf(word.place)
          const edit = { file: file.source.file, start, end, text: join(above ?? '/', path) }
          report({
            message: `WORKDIR ${path} is relative${above === null ? '' : ` to ${above}`}.`,
            place: instruction.place,
            resource: nameOf(file, stage),
            severity: above === null ? undefined : 'info',
            fixes: [{ title: 'Begin at the root', safety: 'suggested', edits: [edit] }],
          })
          above &&= join(above, path)
        }
      }
  },
})

export const exposeSsh = defineRule({
  id: 'dockerfile.expose-ssh',
  title: 'The port of SSH is exposed',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out; docker exec and kubectl exec open a shell without it.',
  references: ['CKV_DOCKER_1', 'KICS 5907595b'],
  docs: {
    ...docs,
    what: 'Finds `EXPOSE 22`.',
    why: 'A second way in, with keys and fixes of its own to look after.',
    bad: 'FROM debian:13-slim\nEXPOSE 8000 22\n',
    good: 'FROM debian:13-slim\nEXPOSE 8000\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { instruction } of instructionsOf(facts.dockerfiles, 'EXPOSE'))
      for (const { text, place } of instruction.words)
        if (/^22(?:\/tcp)?$/i.test(text)) report({ message: 'Port 22 is exposed.', place })
  },
})

/** What installs an app's dependencies from files of the project. */
const INSTALLS: readonly { program: RegExp; words: RegExp; lists: string }[] = [
  { program: /^pip[0-9.]*$/, words: /(?:^| )install .*(?:-r|--requirement)/, lists: 'the requirements' },
  {
    program: /^(?:npm|pnpm|yarn)$/,
    words: /^(?:ci|install|i)?(?: --?\S+)*$/,
    lists: 'package.json and its lock',
  },
  { program: /^(?:uv|poetry|pdm|pipenv)$/, words: /^(?:sync|install)/, lists: 'pyproject.toml and its lock' },
]

export const copyBeforeDependencies = defineRule({
  id: 'dockerfile.copy-before-dependencies',
  title: 'Every change of the code installs all dependencies anew',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Copy the list of dependencies and install them first, then copy the rest.',
  references: ['https://docs.docker.com/build/cache/optimize/#order-your-layers'],
  docs: {
    ...docs,
    what: 'Finds dependencies that are installed after the whole project was copied, and not before it as well.',
    why: 'A layer is built again when one before it has changed, and the code changes with each commit.',
    bad: 'FROM python:3.13-slim\nCOPY . /app\nRUN pip install --no-cache-dir -r /app/requirements.txt\n',
    good: 'FROM python:3.13-slim\nCOPY requirements.txt /app/\nRUN pip install --no-cache-dir -r /app/requirements.txt\nCOPY . /app\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    const all = commandsOf(facts.dockerfiles)
    for (const { stage, instruction, command } of all) {
      const install = installOf(command)
      if (install === undefined) continue
      const before = stage.instructions.slice(0, stage.instructions.indexOf(instruction))
      const copy = before.find(
        ({ keyword, words: [source], flags }) =>
          (keyword === 'COPY' || keyword === 'ADD') &&
          /^\.\/?$/.test(source?.text ?? '') &&
          !flags.some(({ name }) => name === 'from'),
      )
      if (copy === undefined) continue
      // The second time, the project itself is installed: what it depends on is there.
      const isSecond = all.some(
        (each) =>
          each.stage === stage &&
          stage.instructions.indexOf(each.instruction) < stage.instructions.indexOf(copy) &&
          installOf(each.command) === install,
      )
      if (isSecond) continue
      report({
        message: `${command.program} installs from ${install.lists} after the whole project was copied.`,
        place: command.place,
        related: [{ message: 'the project is copied here', place: copy.place }],
      })
    }
  },
})

function installOf({ program, args }: ShellCommand) {
  const words = args.map(({ text }) => text).join(' ')
  return INSTALLS.find((each) => each.program.test(program) && each.words.test(words))
}
