import { composeFiles, defineRule } from '@havn/checklist'
import type { ComposeFile, YamlEntry, YamlNode } from '@havn/checklist'
import { SERVICE_KEYS, TOP_LEVEL_KEYS } from '../known-keys.ts'
import { allServices } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { composeFiles }

export const unreadable = defineRule({
  id: 'compose.unreadable',
  title: 'A compose file cannot be read as it is meant',
  severity: 'error',
  confidence: 'certain',
  hint: 'Correct it; docker compose config shows what Compose makes of it.',
  references: ['https://docs.docker.com/reference/compose-file/'],
  docs: {
    ...docs,
    what: 'Finds compose files that are no YAML, have keys twice, aliases without end, or services that are no mappings.',
    why: 'Compose refuses them, or takes one of two values; and no other rule can see what is in them.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    image: shop:1.5\n',
    good: 'services:\n  web:\n    image: shop:1.5\n',
  },
  needs,
  check({ facts, report }) {
    for (const { problems } of facts.composeFiles) for (const problem of problems) report(problem)
  },
})

export const versionObsolete = defineRule({
  id: 'compose.version-obsolete',
  title: 'The compose file names a version',
  severity: 'info',
  confidence: 'certain',
  hint: 'Take the line out.',
  references: ['https://docs.docker.com/reference/compose-file/version-and-name/'],
  docs: {
    ...docs,
    what: 'Finds `version:` at the top of compose files. `docker stack deploy` alone still reads it: files for Swarm are passed over.',
    why: 'Compose ignores it, and warns at each command: a real warning is lost among these.',
    bad: "version: '3.8'\nservices:\n  web:\n    image: shop:1.4\n",
    good: 'services:\n  web:\n    image: shop:1.4\n',
  },
  needs,
  check({ facts, report }) {
    for (const { root, source } of facts.composeFiles) {
      const version = root?.entry('version') ?? null
      if (version === null || /stack|swarm/i.test(source.file)) continue
      report({
        message: `It says version: ${source.slice(version.value.place)}.`,
        place: version.keyPlace,
        fixes: removeLine(version),
      })
    }
  },
})

/** What a file of another folder has: Compose may be given both (`-f compose.yaml -f deploy/prod.yaml`). */
const TO_BE_LAID_OVER = { severity: 'info', confidence: 'possible' } as const

/** With the empty line behind it. */
function removeLine({ keyPlace, value }: YamlEntry) {
  const { source } = value
  const [start] = source.offsetsOf(keyPlace)
  if (keyPlace.column !== 1 || value.place.endLine !== keyPlace.line) return []
  const rest = /^[ \t]*(?:#[^\n]*)?(?:\r?\n|$)(?:[ \t]*\r?\n)?/.exec(
    source.text.slice(value.end, value.end + 1_000),
  )
  if (rest === null) return []
  const edits = [{ file: source.file, start, end: value.end + rest[0].length, text: '' }]
  return [{ title: 'Take the line out', safety: 'safe' as const, edits }]
}

export const unknownKey = defineRule({
  id: 'compose.unknown-key',
  title: 'Compose does not know a key',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Correct its name or its indentation; what is yours begins with x-.',
  references: ['https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json'],
  docs: {
    ...docs,
    what: 'Finds keys of services, and at the top of the file, that the Compose specification does not have.',
    why: 'Compose refuses the file; older versions pass over the key, and with it what it was to do.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    enviroment:\n      DEBUG: "0"\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    environment:\n      DEBUG: "0"\n',
  },
  needs,
  check({ facts, report }) {
    const look = (node: YamlNode, known: ReadonlySet<string>, where: string, resource?: string) => {
      for (const { key, keyPlace } of node.entries())
        if (!known.has(key) && !key.startsWith('x-'))
          report({ message: `"${key}" is no key of ${where}.`, place: keyPlace, resource })
    }
    for (const { root, problems } of facts.composeFiles)
      if (root !== null && problems.length === 0) look(root, TOP_LEVEL_KEYS, 'a compose file')
    for (const { node, resource } of allServices(facts.composeFiles))
      look(node, SERVICE_KEYS, 'a service', resource)
  },
})

export const dependencyUnknown = defineRule({
  id: 'compose.dependency-unknown',
  title: 'A service depends on one that is not there',
  severity: 'error',
  confidence: 'likely',
  hint: 'Correct the name, or take it out of depends_on.',
  references: ['https://docs.docker.com/reference/compose-file/services/#depends_on'],
  docs: {
    ...docs,
    what: 'Finds names in `depends_on` that neither the file nor a compose file beside it has; a note in the profile `strict` where one of another folder has it.',
    why: 'Compose refuses to start anything of it.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    depends_on: [database]\n  db:\n    image: postgres:17\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    depends_on: [db]\n  db:\n    image: postgres:17\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of allServices(facts.composeFiles)) {
      const beside = filesWith(service.file, facts.composeFiles)
      if (beside.some(({ root }) => root?.has('include'))) continue
      for (const { name, place } of service.dependsOn) {
        const isThere = beside.some(({ services }) => services.some((other) => other.name === name))
        if (isThere || name.includes('$') || place.file !== service.file.source.file) continue
        const isElsewhere = facts.composeFiles.some(({ services }) =>
          services.some((other) => other.name === name),
        )
        report({
          message: isElsewhere
            ? `No service is called "${name}" in this folder.`
            : `No service is called "${name}".`,
          place,
          resource: service.resource,
          ...(isElsewhere && TO_BE_LAID_OVER),
        })
      }
    }
  },
})

export const undeclared = defineRule({
  id: 'compose.undeclared',
  title: 'A service uses a volume, network or secret that is not declared',
  severity: 'error',
  confidence: 'likely',
  hint: 'Declare it at the top level: volumes: { NAME: {} }.',
  references: ['https://docs.docker.com/reference/compose-file/volumes/'],
  docs: {
    ...docs,
    what: 'Finds named volumes, networks, secrets and configs of services that no compose file in the folder declares; a note in the profile `strict` where one of another folder does.',
    why: 'Compose refuses to start anything of it.',
    bad: 'services:\n  db:\n    image: postgres:17\n    volumes: [data:/var/lib/postgresql/data]\n',
    good: 'services:\n  db:\n    image: postgres:17\n    volumes: [data:/var/lib/postgresql/data]\nvolumes:\n  data:\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of allServices(facts.composeFiles)) {
      const beside = filesWith(service.file, facts.composeFiles)
      if (beside.some(({ root }) => root?.has('include') || root === null)) continue
      for (const { kind, name, place } of usesOf(service)) {
        const declares = ({ documents }: ComposeFile) => documents.some((each) => each.at(kind)?.has(name))
        const isOwn = place.file === service.file.source.file
        if (beside.some(declares) || !isOwn || name.includes('$')) continue
        report({
          message: `"${name}" is not declared in ${kind}.`,
          place,
          resource: service.resource,
          ...(facts.composeFiles.some(declares) && TO_BE_LAID_OVER),
        })
      }
    }
  },
})

function usesOf(service: ReturnType<typeof allServices>[number]) {
  const networks = service.setting('networks')?.value
  const named = (kind: 'secrets' | 'configs') =>
    (service.setting(kind)?.value.items() ?? []).flatMap((item) => {
      const name = item.text ?? item.at('source')?.text ?? null
      return name === null ? [] : [{ kind, name, place: item.place }]
    })
  return [
    ...service.mounts.flatMap(({ type, source, place }) =>
      type === 'volume' && source ? [{ kind: 'volumes', name: source, place }] : [],
    ),
    ...[
      ...(networks?.items() ?? []).flatMap(({ text, place }) =>
        text === null ? [] : [{ name: text, place }],
      ),
      ...[...(networks?.entries() ?? [])].map(({ key, keyPlace }) => ({ name: key, place: keyPlace })),
    ]
      .filter(({ name }) => name !== 'default')
      .map((network) => ({ kind: 'networks', ...network })),
    ...named('secrets'),
    ...named('configs'),
  ]
}

/** What Compose may be given together with a file. */
function filesWith({ source }: ComposeFile, files: readonly ComposeFile[]): ComposeFile[] {
  const folder = (file: string) => file.slice(0, file.lastIndexOf('/') + 1)
  return files.filter((other) => folder(other.source.file) === folder(source.file))
}
