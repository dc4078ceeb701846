import { defineRule, manifests } from '@havn/checklist'
import { isSameShape, removedApi } from '../removed-apis.ts'

const docs = { language: 'yaml' }
const needs = { manifests }

export const unreadable = defineRule({
  id: 'kubernetes.unreadable',
  title: 'A manifest cannot be read as it is meant',
  severity: 'error',
  confidence: 'certain',
  hint: 'Correct it; kubectl apply --dry-run=client shows what kubectl makes of it.',
  references: ['https://yaml.org/spec/1.2.2/'],
  docs: {
    ...docs,
    what: 'Finds manifests that are no YAML, have keys twice, or aliases without end.',
    why: 'kubectl refuses them, or takes one of two values; and no other rule can see what is in them.',
    bad: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  name: shop\n',
    good: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n',
  },
  needs,
  check({ facts, report }) {
    for (const problem of facts.manifests.problems) report(problem)
  },
})

const REASONS = {
  helm: 'Its templates are no manifests until Helm has put values in',
  template: 'It is a template',
  size: 'It is larger than 4 MiB, or leads out of the project',
}

export const notChecked = defineRule({
  id: 'kubernetes.not-checked',
  title: 'Files are not looked at',
  severity: 'info',
  confidence: 'certain',
  hint: 'Check what comes out of them: helm template . > manifests.yaml.',
  references: ['https://helm.sh/docs/helm/helm_template/'],
  docs: {
    ...docs,
    what: 'Names the charts of Helm, other templates, and the files that are too large, which no rule looks at.',
    why: 'What was not checked has not passed.',
    bad: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n',
    good: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n',
  },
  needs,
  check({ facts, report }) {
    for (const { name, files, place, reason } of facts.manifests.skipped)
      report({
        message: `${REASONS[reason]}: ${name}${files > 1 ? `, ${files} files` : ''}.`,
        place,
        resource: name,
      })
  },
})

export const apiRemoved = defineRule({
  id: 'kubernetes.api-removed',
  title: 'An API is no longer in Kubernetes',
  severity: 'error',
  confidence: 'certain',
  hint: 'Move to the API that took its place.',
  references: [
    'kubeconform',
    'no-extensions-v1beta',
    'https://kubernetes.io/docs/reference/using-api/deprecation-guide/',
  ],
  docs: {
    ...docs,
    what: 'Finds versions of the API that a version of Kubernetes up to 1.32 has taken out.',
    why: 'The cluster refuses the object: no matches for kind.',
    bad: 'apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: { name: report }\n',
    good: 'apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: report }\n',
  },
  needs,
  check({ facts, report }) {
    for (const { apiVersion, kind, node, resource, source } of facts.manifests.objects) {
      const removed = removedApi(apiVersion, kind)
      if (removed === null) continue
      const { replacement, removedIn } = removed
      const { place, start, end } = node.at('apiVersion')!
      const isClear = replacement !== null && source.text.slice(start, end) === apiVersion
      report({
        message: `${kind} of ${apiVersion} is not in Kubernetes since ${removedIn}.`,
        hint:
          replacement === null
            ? 'Take it out; the Pod Security Admission took its place.'
            : `Write ${replacement}.`,
        place,
        resource,
        fixes: isClear
          ? [
              {
                title: `Write ${replacement}`,
                safety: isSameShape(apiVersion, kind) ? 'safe' : 'suggested',
                edits: [{ file: source.file, start, end, text: replacement }],
              },
            ]
          : [],
      })
    }
  },
})

export const objectTwice = defineRule({
  id: 'kubernetes.object-twice',
  title: 'A file has an object twice',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take one of them out, or give it another name.',
  references: ['https://kubernetes.io/docs/concepts/overview/working-with-objects/names/'],
  docs: {
    ...docs,
    what: 'Finds two objects of one kind, name and namespace in one file.',
    why: 'The second overwrites the first, each time.',
    bad: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n',
    good: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: worker }\n',
  },
  needs,
  check({ facts, report }) {
    const seen = new Map<string, (typeof facts.manifests.objects)[number]>()
    for (const object of facts.manifests.objects) {
      if (object.name === null || object.isPartial) continue
      const key = [object.source.file, object.group, object.kind, object.namespace ?? '', object.name].join(
        '\0',
      )
      const first = seen.get(key)
      if (first === undefined) seen.set(key, object)
      else
        report({
          message: `${object.resource} is here before.`,
          place: object.place,
          resource: object.resource,
          related: [{ message: 'the first one', place: first.place }],
        })
    }
  },
})
