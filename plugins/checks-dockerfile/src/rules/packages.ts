import { defineRule, dockerfiles } from '@havn/checklist'
import type { ShellCommand, ShellWord } from '@havn/checklist'
import type { CheckRule, FindingReport, Fix } from '@havn/plugin-api'
import { commandsOf, hasOption, operandsOf, type RunCommand } from '../walk.ts'

const docs = { language: 'dockerfile' }
const isApt = (program: string) => program === 'apt-get' || program === 'apt'
const isPip = (program: string) => /^pip[0-9.]*$/.test(program)

/** Installs through `apt-get`, `pip` and their kind: `apt-get -y install x`, `python -m pip install x`. */
function verbOf({ command }: RunCommand): string {
  return operandsOf(command)[0]?.text ?? ''
}

/** `python -m pip …` is pip. */
function pipArguments({ command }: RunCommand): readonly ShellWord[] | null {
  if (isPip(command.program)) return command.args
  const [dashM, pip, ...rest] = command.args
  return /^python[0-9.]*$/.test(command.program) && dashM?.text === '-m' && pip?.text === 'pip' ? rest : null
}

const mounts = ({ instruction }: RunCommand) =>
  instruction.flags.flatMap(({ name, value }) => (name === 'mount' && value !== null ? [value] : []))

type Found = Pick<FindingReport, 'message' | 'severity'>

/** A rule that looks at one command after another. */
function commandRule(
  rule: Omit<CheckRule<{ dockerfiles: typeof dockerfiles }>, 'needs' | 'check'> & {
    find: (run: RunCommand) => string | Found | null
    fix?: (run: RunCommand) => Fix | null
  },
) {
  const { find, fix, ...about } = rule
  return defineRule({
    ...about,
    needs: { dockerfiles },
    check({ facts, report }) {
      for (const run of commandsOf(facts.dockerfiles)) {
        const found = find(run)
        if (found === null) continue
        const fixes = [fix?.(run) ?? []].flat()
        report({
          ...(typeof found === 'string' ? { message: found } : found),
          place: run.command.place,
          fixes,
        })
      }
    },
  })
}

/** Puts an option behind the word `install`. */
function addOption(
  { file, instruction }: RunCommand,
  words: readonly ShellWord[],
  option: string,
  safety: Fix['safety'],
): Fix | null {
  const verb = words.find(({ text }) => text === 'install')
  // Words of the exec form have no places of their own.
  if (verb === undefined || instruction.exec !== null) return null
  const [, end] = file.source.offsetsOf(verb.place)
  const edit = { file: file.source.file, start: end, end, text: ` ${option}` }
  return { title: `Add ${option}`, safety, edits: [edit] }
}

export const aptListsKept = commandRule({
  id: 'dockerfile.apt-lists-kept',
  title: "apt's lists stay in the image",
  severity: 'info',
  confidence: 'certain',
  hint: 'End the same RUN with: rm -rf /var/lib/apt/lists/*, or mount a cache: --mount=type=cache,target=/var/lib/apt.',
  references: ['DL3009', 'DKL-DI-0005', 'KICS df746b39'],
  docs: {
    ...docs,
    what: 'Finds `apt-get update` in a `RUN` that does not remove the lists that it loads.',
    why: 'They are tens of megabytes, in each image and each pull. Removed by a later RUN, they are still in the layer below.',
    bad: 'FROM debian:13-slim\nRUN apt-get update && apt-get install --yes --no-install-recommends curl\n',
    good: 'FROM debian:13-slim\nRUN apt-get update && apt-get install --yes --no-install-recommends curl \\\n  && rm -rf /var/lib/apt/lists/*\n',
  },
  find(run) {
    if (!isApt(run.command.program) || verbOf(run) !== 'update') return null
    const isRemoved = run.layer.some(
      ({ program, args }) => program === 'rm' && args.some(({ text }) => text.startsWith('/var/lib/apt')),
    )
    const isMounted = mounts(run).some((mount) => mount.includes('/var/lib/apt'))
    return isRemoved || isMounted ? null : 'The lists that it loads stay in the layer.'
  },
})

export const aptRecommends = commandRule({
  id: 'dockerfile.apt-recommends',
  title: 'apt installs what it only recommends',
  severity: 'info',
  confidence: 'certain',
  hint: 'Add --no-install-recommends.',
  references: ['DL3015', 'KICS 7384dfb2'],
  docs: {
    ...docs,
    what: 'Finds `apt-get install` without `--no-install-recommends`.',
    why: 'Recommended packages make images larger, and give an intruder more to use.',
    bad: 'FROM debian:13-slim\nRUN apt-get update && apt-get install --yes curl && rm -rf /var/lib/apt/lists/*\n',
    good: 'FROM debian:13-slim\nRUN apt-get update && apt-get install --yes --no-install-recommends curl \\\n  && rm -rf /var/lib/apt/lists/*\n',
  },
  find(run) {
    if (!isApt(run.command.program) || verbOf(run) !== 'install') return null
    const isOff =
      hasOption(run.command, '--no-install-recommends') ||
      run.command.args.some(({ text }) => /APT::Install-Recommends=(?:0|false|no)/i.test(text))
    return isOff ? null : 'It takes all recommended packages, too.'
  },
  // Something may need one of them.
  fix: (run) => addOption(run, run.command.args, '--no-install-recommends', 'suggested'),
})

export const updateAlone = commandRule({
  id: 'dockerfile.update-alone',
  title: 'Package lists are loaded in a RUN of their own',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Update and install in one RUN: apt-get update && apt-get install ….',
  references: ['CIS-DI-0007', 'CKV_DOCKER_5', 'KICS 9bae49be'],
  docs: {
    ...docs,
    what: 'Finds `apt-get update`, `apk update`, `yum update`, `zypper refresh` and `pacman -Sy` without an install in the same `RUN`.',
    why: 'The layer is cached: months later, packages are installed by lists that are months old, or not at all.',
    bad: 'FROM debian:13-slim\nRUN apt-get update\nRUN apt-get install --yes --no-install-recommends curl\n',
    good: 'FROM debian:13-slim\nRUN apt-get update && apt-get install --yes --no-install-recommends curl\n',
  },
  find({ command, layer }) {
    if (!loadsLists(command) || layer.some(installs)) return null
    const verb = operandsOf(command)[0]?.text ?? '-Sy'
    return `${command.program} ${verb} is alone in its RUN.`
  },
})

function loadsLists(command: ShellCommand): boolean {
  const [verb] = operandsOf(command)
  if (command.program === 'zypper') return /^ref(?:resh)?$/.test(verb?.text ?? '')
  if (command.program === 'pacman') return verb === undefined && isPacmanSync(command, 'y')
  return /^(?:apt|apt-get|apk|yum|dnf)$/.test(command.program) && verb?.text === 'update'
}

function installs(command: ShellCommand): boolean {
  if (command.program === 'pacman') return operandsOf(command).length > 0 && isPacmanSync(command)
  return command.args.some(({ text }) => /^(?:install|in|add|upgrade|build-dep)$/.test(text))
}

/** `-S`, with this letter. */
function isPacmanSync({ args }: ShellCommand, letter = ''): boolean {
  return args.some(({ text }) => /^-S/.test(text) && text.includes(letter))
}

export const distUpgrade = commandRule({
  id: 'dockerfile.dist-upgrade',
  title: 'The system is upgraded to another release',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Begin with the base image of that release.',
  references: ['DKL-DI-0003'],
  docs: {
    ...docs,
    what: 'Finds `apt-get dist-upgrade` and `full-upgrade`.',
    why: 'It may replace and remove packages that the base image is made of: what comes out nobody has tested.',
    bad: 'FROM debian:13-slim\nRUN apt-get update && apt-get dist-upgrade --yes\n',
    good: 'FROM debian:13-slim\nRUN apt-get update && apt-get upgrade --yes\n',
  },
  find: (run) =>
    isApt(run.command.program) && /^(?:dist|full)-upgrade$/.test(verbOf(run))
      ? `It runs ${verbOf(run)}.`
      : null,
})

export const apkVirtualKept = commandRule({
  id: 'dockerfile.apk-virtual-kept',
  title: 'Packages that were only for the build stay',
  severity: 'info',
  confidence: 'certain',
  hint: 'Remove them in the same RUN: apk del NAME.',
  references: ['https://wiki.alpinelinux.org/wiki/Alpine_Package_Keeper'],
  docs: {
    ...docs,
    what: 'Finds `apk add --virtual NAME` without `apk del NAME` in the same `RUN`.',
    why: 'A virtual package is a promise to remove it. A later RUN cannot: the layer below keeps it.',
    bad: 'FROM alpine:3.22\nRUN apk add --no-cache --virtual .build gcc && make\n',
    good: 'FROM alpine:3.22\nRUN apk add --no-cache --virtual .build gcc && make && apk del .build\n',
  },
  find({ command, layer }) {
    if (command.program !== 'apk') return null
    const { args } = command
    const at = args.findIndex(({ text }) => /^(?:-t|--virtual)(?:=|$)/.test(text))
    if (at === -1) return null
    const name = args[at]!.text.includes('=') ? args[at]!.text.split('=')[1]! : (args[at + 1]?.text ?? '')
    const isRemoved = layer.some(
      (each) =>
        each.program === 'apk' &&
        each.args.some(({ text }) => text === 'del') &&
        each.args.some(({ text }) => text === name),
    )
    return isRemoved ? null : `${name} is not removed by the RUN that adds it.`
  },
})

/** What pip takes for a package of no certain version: neither a file, nor a URL, nor `name==1`. */
const UNPINNED = /^[A-Za-z0-9][\w.-]*(?:\[[\w,.-]+\])?(?:(?:>=?|~=|!=|<).*)?$/
const PIP_VALUES =
  /^(?:-r|--requirement|-c|--constraint|-e|--editable|-t|--target|-i|--index-url|--extra-index-url|-f|--find-links|--prefix|--root|--trusted-host|--timeout|--retries|--group|--python|--platform)$/

export const pipUnpinned = commandRule({
  id: 'dockerfile.pip-unpinned',
  title: 'pip installs whatever version is the newest',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name the version (gunicorn==23.0.0), or install from a file that names them all.',
  references: ['DL3013', 'KICS 02d9c71f'],
  docs: {
    ...docs,
    what: 'Finds packages that `pip install` is given by name, without `==` and without a constraints file; a note for pip, setuptools and wheel, whose newest versions hurt seldom.',
    why: 'The image changes when its authors release, and not when you do.',
    bad: 'FROM python:3.13-slim\nRUN pip install --no-cache-dir gunicorn\n',
    good: 'FROM python:3.13-slim\nRUN pip install --no-cache-dir gunicorn==23.0.0\n',
  },
  find(run) {
    const args = pipArguments(run)?.map(({ text }) => text) ?? []
    if (!args.includes('install') || args.some((text) => /^(?:-c|--constraint)/.test(text))) return null
    const packages = args
      .slice(args.indexOf('install') + 1)
      .filter((text, at, list) => !text.startsWith('-') && !PIP_VALUES.test(list[at - 1] ?? ''))
    const loose = packages.filter((text) => UNPINNED.test(text))
    if (loose.length === 0) return null
    const areTools = loose.every((text) => /^(?:pip|setuptools|wheel)\b/.test(text))
    return {
      message: `No certain version of ${loose.join(', ')}.`,
      severity: areTools ? 'info' : undefined,
    }
  },
})

export const pipCache = commandRule({
  id: 'dockerfile.pip-cache',
  title: "pip's cache stays in the image",
  severity: 'info',
  confidence: 'certain',
  hint: 'Add --no-cache-dir, set PIP_NO_CACHE_DIR=1, or mount one: --mount=type=cache,target=/root/.cache/pip.',
  references: ['DL3042', 'KICS f2f903fb'],
  docs: {
    ...docs,
    what: 'Finds `pip install` that keeps what it loads.',
    why: 'Each package is in the image twice: installed, and as it was loaded.',
    bad: 'FROM python:3.13-slim\nRUN pip install -r requirements.txt\n',
    good: 'FROM python:3.13-slim\nRUN pip install --no-cache-dir -r requirements.txt\n',
  },
  find(run) {
    const args = pipArguments(run)
    if (args === null || !args.some(({ text }) => text === 'install')) return null
    // pip takes the beginning of an option for the whole of it.
    if (hasOption(run.command, '--no-cache-dir', '--no-cache') || mounts(run).some(keepsForPip)) return null
    const isOff = run.stage.instructions.some(
      ({ keyword, words }) =>
        (keyword === 'ENV' || keyword === 'ARG') &&
        words.some(
          ({ text }, at) =>
            /^PIP_NO_CACHE_DIR=(?!0|off|false|no|$)/i.test(text) || (at === 0 && text === 'PIP_NO_CACHE_DIR'),
        ),
    )
    return isOff ? null : 'What pip loads stays in the layer.'
  },
  fix: (run) => addOption(run, pipArguments(run)!, '--no-cache-dir', 'safe'),
})

/** A cache that pip has, not one of uv or apt; where a variable says, it may. */
function keepsForPip(mount: string): boolean {
  return /type=cache/.test(mount) && /pip|\.cache\/?(?:,|$)|(?:target|dst|destination)=[^,]*\$/.test(mount)
}

export const npmUnpinned = commandRule({
  id: 'dockerfile.npm-unpinned',
  title: 'npm installs whatever version is the newest',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name the version (pm2@6.0.8), or put it into package.json and run npm ci.',
  references: ['DL3016', 'KICS e36d8880'],
  docs: {
    ...docs,
    what: 'Finds packages that `npm install` is given by name, without a version.',
    why: 'The image changes when its authors release, and not when you do.',
    bad: 'FROM node:24-slim\nRUN npm install --global pm2\n',
    good: 'FROM node:24-slim\nRUN npm install --global pm2@6.0.8\n',
  },
  find(run) {
    if (run.command.program !== 'npm') return null
    const [verb, ...packages] = operandsOf(run.command).map(({ text }) => text)
    if (!/^(?:install|i|add)$/.test(verb ?? '')) return null
    const loose = packages.filter(
      (text) => /^(?:@[\w.-]+\/)?[\w.-]+(?:@latest)?$/.test(text) && !/^\.|\.tgz$/.test(text),
    )
    return loose.length === 0 ? null : `No certain version of ${loose.join(', ')}.`
  },
})
