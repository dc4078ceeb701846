import { defineRule, isSecretVariable, manifests } from '@havn/checklist'
import { containerRule, when } from '../container-rule.ts'
import { objectsOf } from '../walk.ts'

const docs = { language: 'yaml' }

export const secretInEnv = defineRule({
  id: 'kubernetes.secret-in-env',
  title: 'A secret is written in a manifest',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Put it into a Secret that is not in git, and name that: valueFrom: { secretKeyRef: … }.',
  references: ['CWE-798', 'env-var-secret'],
  docs: {
    ...docs,
    what: 'Finds variables of containers whose names are those of secrets, and whose values stand in the manifest; and passwords in URLs.',
    why: 'It is in git for good, and known to whoever may look at a pod.',
    bad: podWith('- { name: SECRET_KEY, value: kmqz1vwj83 }'),
    good: podWith('- { name: SECRET_KEY, valueFrom: { secretKeyRef: { name: web, key: secret-key } } }'),
  },
  needs: { manifests },
  check({ facts, report }) {
    for (const object of facts.manifests.objects)
      for (const container of [...(object.pods?.containers ?? []), ...(object.pods?.initContainers ?? [])])
        for (const { name, value, place } of container.env)
          if (value !== null && isSecretVariable(name, value))
            report({
              message: `The value of ${name} stands in the manifest.`,
              place,
              resource: object.resource,
              isSensitive: true,
            })
  },
})

function podWith(variable: string): string {
  return [
    'apiVersion: v1',
    'kind: Pod',
    'metadata: { name: web }',
    'spec:',
    '  containers:',
    '    - name: web',
    '      image: shop:1.4',
    '      env:',
    `        ${variable}`,
    '',
  ].join('\n')
}

export const secretInConfigMap = defineRule({
  id: 'kubernetes.secret-in-configmap',
  title: 'A secret is in a ConfigMap',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Put it into a Secret, and keep that out of git.',
  references: ['KSV-0109', 'KSV-01010', 'CWE-312'],
  docs: {
    ...docs,
    what: 'Finds keys of ConfigMaps whose names are those of secrets and that have a value; and passwords in URLs.',
    why: 'More may read ConfigMaps than Secrets, they are not encrypted at rest, and this one is in git.',
    bad: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\ndata:\n  SECRET_KEY: kmqz1vwj83\n',
    good: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\ndata:\n  LANGUAGE_CODE: da\n',
  },
  needs: { manifests },
  check({ facts, report }) {
    for (const object of facts.manifests.objects) {
      if (object.builtin !== 'ConfigMap') continue
      for (const { key, value } of object.node.at('data')?.entries() ?? []) {
        // Files have their own formats; secrets in them are found by what they look like.
        const name = key.replaceAll(/[.-]/g, '_')
        if (value.text !== null && !value.text.includes('\n') && isSecretVariable(name, value.text))
          report({
            message: `The value of ${key} stands in it.`,
            place: value.place,
            resource: object.resource,
            isSensitive: true,
          })
      }
    }
  },
})

export const secretFromEnv = containerRule({
  id: 'kubernetes.secret-from-env',
  title: 'A secret is given by the environment',
  severity: 'info',
  confidence: 'possible',
  hint: 'Mount the Secret as files, where the app can read them.',
  references: ['CKV_K8S_35', 'read-secret-from-env-var'],
  what: 'Finds `secretKeyRef` and `secretRef`. Only in the profile `strict`: most apps have no other way.',
  why: 'Environments end up in crash reports and child processes, and do not change when the Secret does.',
  bad: {
    container: [
      'image: shop:1.4',
      'env:',
      '  - { name: KEY, valueFrom: { secretKeyRef: { name: web, key: key } } }',
    ],
  },
  good: { container: ['image: shop:1.4', 'volumeMounts: [{ name: secrets, mountPath: /run/secrets }]'] },
  check: ({ container }) => [
    ...container.env.flatMap(({ name, from, namePlace }) =>
      when(from?.kind === 'Secret', `${name} is given by the environment.`, namePlace),
    ),
    ...container.envFrom.flatMap(({ kind, name, place }) =>
      when(kind === 'Secret', `All of ${name} is given by the environment.`, place),
    ),
  ],
})

export const envTwice = containerRule({
  id: 'kubernetes.env-twice',
  title: 'A variable is set twice',
  severity: 'warn',
  hint: 'Take one of them out.',
  references: ['duplicate-env-var'],
  what: 'Finds names that are in `env` of a container twice.',
  why: 'The last one counts, whatever whoever reads the first one thinks; and server-side apply refuses both.',
  bad: {
    container: ['image: shop:1.4', 'env:', '  - { name: A, value: "1" }', '  - { name: A, value: "2" }'],
  },
  good: { container: ['image: shop:1.4', 'env:', '  - { name: A, value: "2" }'] },
  check({ container }) {
    const seen = new Set<string>()
    return container.env.flatMap(({ name, namePlace }) => {
      const isTwice = seen.has(name)
      seen.add(name)
      return when(isTwice, `${name} is set before.`, namePlace)
    })
  },
})

const ON = /^(?:1|true|yes|on)$/i
const DEBUG = /^(?:DEBUG|DJANGO_DEBUG|FLASK_DEBUG|APP_DEBUG)$/
const STAGE = /^(?:NODE_ENV|FLASK_ENV|RAILS_ENV|ASPNETCORE_ENVIRONMENT)$/

export const debugOn = defineRule({
  id: 'kubernetes.debug-on',
  title: 'The app is started for development',
  severity: 'error',
  confidence: 'likely',
  hint: 'Set it to "0", or take it out.',
  references: ['security.W018', 'CWE-489'],
  docs: {
    ...docs,
    what: 'Finds `DEBUG`, `DJANGO_DEBUG` and `FLASK_DEBUG` that are on, and `NODE_ENV` or `FLASK_ENV` of development, in containers and ConfigMaps. Files for development are passed over.',
    why: 'Error pages show settings and source to whoever asks; Flask and Node run with tools that are none for production.',
    bad: podWith('- { name: DEBUG, value: "1" }'),
    good: podWith('- { name: DEBUG, value: "0" }'),
  },
  needs: { manifests },
  check({ facts, report }) {
    const isOn = (name: string, value: string | null) =>
      (DEBUG.test(name) && ON.test(value ?? '')) ||
      (STAGE.test(name) && /^dev(?:elopment)?$/i.test(value ?? ''))
    for (const object of objectsOf(facts.manifests)) {
      if (
        /(?:^|[/._-])(?:dev|development|local|minikube|kind|tests?|examples?)(?:[/._-])/i.test(
          object.source.file,
        )
      )
        continue
      for (const { env } of object.pods?.containers ?? [])
        for (const { name, value, place } of env)
          if (isOn(name, value)) report({ message: `${name} is ${value}.`, place, resource: object.resource })
      if (object.builtin !== 'ConfigMap') continue
      for (const { key, value } of object.node.at('data')?.entries() ?? [])
        if (isOn(key, value.text))
          report({ message: `${key} is ${value.text}.`, place: value.place, resource: object.resource })
    }
  },
})
