import { composeFiles, defineRule, endedOn, endOfLife, isMovingTag } from '@havn/checklist'
import type { ComposeFile } from '@havn/checklist'
import { storeOf } from '../known-images.ts'
import { isMeantToStay, productionServices } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { composeFiles }

/** Images from elsewhere; with `build`, `image` names what is built. */
function fromElsewhere(files: readonly ComposeFile[]) {
  return productionServices(files).flatMap((service) => {
    const { image, imageReference, build, resource } = service
    return image === null || imageReference === null || build !== null || service.base?.build != null
      ? []
      : [{ service, resource, reference: imageReference, place: image.place }]
  })
}

export const tagMissing = defineRule({
  id: 'compose.tag-missing',
  title: 'An image has no tag',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name the version that the app was tested with: postgres:17.',
  references: ['https://docs.docker.com/build/building/best-practices/#pin-base-image-versions'],
  docs: {
    ...docs,
    what: 'Finds images without a tag and without a digest. Docker takes `latest` for them.',
    why: 'The next pull may bring another major version, such as a database that cannot read its old files.',
    bad: 'services:\n  db:\n    image: postgres\n',
    good: 'services:\n  db:\n    image: postgres:17\n',
  },
  needs,
  check({ facts, report }) {
    for (const { reference, place, resource } of fromElsewhere(facts.composeFiles))
      if (reference.tag === null && reference.digest === null && reference.name !== '')
        report({ message: `The image ${reference.name} has no tag.`, place, resource })
  },
})

export const tagLatest = defineRule({
  id: 'compose.tag-latest',
  title: 'An image has a tag that moves by design',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name a version: redis:8.',
  references: ['https://docs.docker.com/build/building/best-practices/#pin-base-image-versions'],
  docs: {
    ...docs,
    what: 'Finds images with the tags `latest`, `stable`, `edge`, `nightly`, `lts`, `current`, `main` or `master`, also as the default of a variable.',
    why: 'What such a tag names changes from day to day: nobody knows what runs, and there is nothing to go back to.',
    bad: 'services:\n  cache:\n    image: redis:latest\n',
    good: 'services:\n  cache:\n    image: redis:8\n',
  },
  needs,
  check({ facts, report }) {
    for (const { service, reference, place, resource } of fromElsewhere(facts.composeFiles))
      if (reference.digest === null && isMovingTag(reference.tag)) {
        // A default is there for whoever tries it out; a deployment gives the variable.
        const isDefault = service.image!.raw.includes('$')
        const severity = isDefault ? ('info' as const) : undefined
        report({
          message: `The tag ${reference.tag} of ${reference.name} moves by design.`,
          place,
          resource,
          severity,
        })
      }
  },
})

export const digestMissing = defineRule({
  id: 'compose.digest-missing',
  title: 'An image is not pinned by digest',
  severity: 'info',
  confidence: 'possible',
  hint: 'Add the digest behind the tag (postgres:17@sha256:…), and let a bot renew it.',
  references: ['https://docs.docker.com/build/building/best-practices/#pin-base-image-versions'],
  docs: {
    ...docs,
    what: 'Finds images that have a version and no digest. Only in the profile `strict`.',
    why: 'A tag can be moved, by its owner or by who has taken their account. A digest is the image.',
    bad: 'services:\n  db:\n    image: postgres:17\n',
    good: `services:\n  db:\n    image: postgres:17@sha256:${'ab'.repeat(32)}\n`,
  },
  needs,
  check({ facts, report }) {
    for (const { reference, place, resource } of fromElsewhere(facts.composeFiles))
      if (reference.digest === null && reference.tag !== null)
        report({ message: `${reference.name}:${reference.tag} is not pinned by digest.`, place, resource })
  },
})

export const imageEndOfLife = defineRule({
  id: 'compose.image-end-of-life',
  title: 'An image gets no security fixes any more',
  severity: 'error',
  confidence: 'certain',
  hint: 'Move to a version that is still maintained. A database wants its data carried over first.',
  references: ['https://endoflife.date/'],
  docs: {
    ...docs,
    what: 'Finds official images of PostgreSQL, Python, Node.js, Debian, Ubuntu and Alpine whose version has reached its end.',
    why: 'Holes that are found from now on stay open in it.',
    bad: 'services:\n  db:\n    image: postgres:11\n',
    good: 'services:\n  db:\n    image: postgres:17\n',
  },
  needs,
  check({ facts, report }) {
    for (const { reference, place, resource } of fromElsewhere(facts.composeFiles)) {
      const ended = endedOn(endOfLife(reference))
      if (ended !== null)
        report({
          message: `${reference.name}:${reference.tag} has had no security fixes since ${ended}.`,
          place,
          resource,
        })
    }
  },
})

export const databaseWithoutVolume = defineRule({
  id: 'compose.database-without-volume',
  title: 'A database keeps its data in the container',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Mount a named volume where the image keeps its data.',
  references: ['https://docs.docker.com/engine/storage/volumes/'],
  docs: {
    ...docs,
    what: 'Finds services with the image of a database and no mount at all; a note where the file does not say that it stays up.',
    why: 'The data goes with the container: `docker compose down` and the next `up` begin with an empty database.',
    bad: 'services:\n  db:\n    image: postgres:17\n    restart: always\n',
    good: 'services:\n  db:\n    image: postgres:17\n    restart: always\n    volumes: [data:/var/lib/postgresql/data]\nvolumes:\n  data:\n',
  },
  needs,
  check({ facts, report }) {
    for (const { service, place, resource } of fromElsewhere(facts.composeFiles)) {
      const store = storeOf(service)
      if (store === null || !store.isDatabase || service.base !== null) continue
      if (
        service.hasAnywhere('volumes') ||
        service.hasAnywhere('tmpfs') ||
        service.hasAnywhere('volumes_from')
      )
        continue
      const severity = isMeantToStay(service) ? undefined : ('info' as const)
      report({ message: `${store.name} has no volume.`, place, resource, severity })
    }
  },
})
