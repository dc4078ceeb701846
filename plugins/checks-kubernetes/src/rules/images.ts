import { defineRule, endedOn, endOfLife, isMovingTag, manifests } from '@havn/checklist'
import type { Manifests } from '@havn/checklist'
import { deployment } from '../examples.ts'
import { containersOf } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { manifests }

/** Images that are named here for good: Kustomize may give others their tag. */
function imagesOf(facts: Manifests) {
  const replaced = new Set(facts.kustomizations.flatMap(({ images }) => [...images]))
  return containersOf(facts).flatMap((each) => {
    const { imageReference: reference, image, imagePlace: place } = each.container
    const isKnown = reference !== null && reference.name !== '' && !/[${<]/.test(image!)
    return !isKnown || replaced.has(reference.name) ? [] : [{ ...each, reference, place }]
  })
}

export const tagMoving = defineRule({
  id: 'kubernetes.tag-moving',
  title: 'An image has no tag, or one that moves by design',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name the version that was tested: shop:1.4.',
  references: ['CKV_K8S_14', 'KSV-0013', 'latest-tag'],
  docs: {
    ...docs,
    what: 'Finds images without tag and digest, and those with `latest`, `stable`, `edge`, `nightly`, `lts`, `current`, `main` or `master`.',
    why: 'Pods of one workload run different versions, and there is nothing to roll back to.',
    bad: deployment({ container: ['image: shop:latest'] }),
    good: deployment({ container: ['image: shop:1.4'] }),
  },
  needs,
  check({ facts, report }) {
    for (const { reference, place, object } of imagesOf(facts.manifests)) {
      if (reference.digest !== null || (reference.tag !== null && !isMovingTag(reference.tag))) continue
      const what = reference.tag === null ? 'has no tag' : `has the tag ${reference.tag}`
      report({ message: `The image ${reference.name} ${what}.`, place, resource: object.resource })
    }
  },
})

export const digestMissing = defineRule({
  id: 'kubernetes.digest-missing',
  title: 'An image is not pinned by digest',
  severity: 'info',
  confidence: 'possible',
  hint: 'Add the digest behind the tag (shop:1.4@sha256:…), as the build wrote it.',
  references: ['CKV_K8S_43'],
  docs: {
    ...docs,
    what: 'Finds images that have a version and no digest. Only in the profile `strict`.',
    why: 'A tag can be moved, by its owner or by who has taken their account. A digest is the image.',
    bad: deployment({}),
    good: deployment({ container: [`image: shop:1.4@sha256:${'ab'.repeat(32)}`] }),
  },
  needs,
  check({ facts, report }) {
    for (const { reference, place, object } of imagesOf(facts.manifests))
      if (reference.digest === null && reference.tag !== null)
        report({
          message: `${reference.name}:${reference.tag} is not pinned by digest.`,
          place,
          resource: object.resource,
        })
  },
})

export const imageEndOfLife = defineRule({
  id: 'kubernetes.image-end-of-life',
  title: 'An image gets no security fixes any more',
  severity: 'error',
  confidence: 'certain',
  hint: 'Move to a version that is still maintained. A database wants its data carried over first.',
  references: ['https://endoflife.date/'],
  docs: {
    ...docs,
    what: 'Finds official images of PostgreSQL, Python, Node.js, Debian, Ubuntu and Alpine whose version has reached its end.',
    why: 'Holes that are found from now on stay open in it.',
    bad: deployment({ container: ['image: postgres:11'] }),
    good: deployment({ container: ['image: postgres:17'] }),
  },
  needs,
  check({ facts, report }) {
    for (const { reference, place, object } of imagesOf(facts.manifests)) {
      const ended = endedOn(endOfLife(reference))
      if (ended !== null)
        report({
          message: `${reference.name}:${reference.tag} has had no security fixes since ${ended}.`,
          place,
          resource: object.resource,
        })
    }
  },
})

export const pullPolicy = defineRule({
  id: 'kubernetes.pull-policy-stale',
  title: 'Nodes keep an old image under a tag that moves',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name a version; nodes may then keep it.',
  references: ['CKV_K8S_15'],
  docs: {
    ...docs,
    what: 'Finds `imagePullPolicy` other than `Always` beside an image whose tag moves by design.',
    why: 'Each node runs what the tag meant when it first pulled it.',
    bad: deployment({ container: ['image: shop:latest', 'imagePullPolicy: IfNotPresent'] }),
    good: deployment({ container: ['image: shop:1.4', 'imagePullPolicy: IfNotPresent'] }),
  },
  needs,
  check({ facts, report }) {
    for (const { reference, container, object } of imagesOf(facts.manifests)) {
      const policy = container.node.at('imagePullPolicy')
      const isMoving = reference.digest === null && (reference.tag === null || isMovingTag(reference.tag))
      if (isMoving && (policy?.text === 'IfNotPresent' || policy?.text === 'Never'))
        report({ message: `It is ${policy.text}.`, place: policy.place, resource: object.resource })
    }
  },
})
