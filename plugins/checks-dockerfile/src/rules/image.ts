import { defineRule, dockerfiles, endedOn, endOfLife, parseImage } from '@havn/checklist'
import type { Dockerfile, DockerStage } from '@havn/checklist'
import { nameOf } from '../walk.ts'

/** Stages that begin with an image from elsewhere, whose name is known. */
function fromImages(files: readonly Dockerfile[]) {
  return files.flatMap((file) =>
    file.stages
      .filter(
        ({ base, image }) => base === null && image !== '' && image !== 'scratch' && !image.includes('$'),
      )
      .map((stage) => ({
        stage,
        resource: nameOf(file, stage),
        image: parseImage(stage.image),
        place: placeOf(stage),
      })),
  )
}

function placeOf({ from }: DockerStage) {
  return from.words[0]?.place ?? from.place
}

const docs = { language: 'dockerfile' }

export const tagMissing = defineRule({
  id: 'dockerfile.tag-missing',
  title: 'A base image has no tag',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name the version that the app was tested on: python:3.12-slim.',
  references: [
    'DL3006',
    'CKV_DOCKER_7',
    'KICS 9efb0b2d',
    'https://docs.docker.com/build/building/best-practices/#pin-base-image-versions',
  ],
  docs: {
    ...docs,
    what: 'Finds base images without a tag and without a digest. Docker takes `latest` for them.',
    why: 'The next build may begin with another major version of the language or the system, without a change of yours.',
    bad: 'FROM python\n',
    good: 'FROM python:3.12-slim\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { image, resource, place } of fromImages(facts.dockerfiles))
      if (image.tag === null && image.digest === null)
        report({ message: `The image ${image.name} has no tag.`, place, resource })
  },
})

export const tagLatest = defineRule({
  id: 'dockerfile.tag-latest',
  title: 'A base image has a tag that moves by design',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Name a version: python:3.12-slim.',
  references: ['DL3007', 'CKV_DOCKER_7', 'DKL-DI-0006', 'KICS f45ea400'],
  docs: {
    ...docs,
    what: 'Finds base images with the tags `latest`, `stable`, `edge`, `nightly`, `lts` or `current`.',
    why: 'What such a tag names changes from day to day: no two builds are known to begin with the same image.',
    bad: 'FROM node:latest\n',
    good: 'FROM node:24-slim\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { image, resource, place } of fromImages(facts.dockerfiles))
      if (image.digest === null && /^(?:latest|stable|edge|nightly|lts|current)$/.test(image.tag ?? ''))
        report({ message: `The tag ${image.tag} of ${image.name} moves by design.`, place, resource })
  },
})

export const digestMissing = defineRule({
  id: 'dockerfile.digest-missing',
  title: 'A base image is not pinned by digest',
  severity: 'info',
  confidence: 'possible',
  hint: 'Add the digest behind the tag (python:3.12-slim@sha256:…), and let a bot renew it.',
  references: ['https://docs.docker.com/build/building/best-practices/#pin-base-image-versions'],
  docs: {
    ...docs,
    what: 'Finds base images that have a version and no digest. Only in the profile `strict`.',
    why: 'A tag can be moved, by its owner or by who has taken their account. A digest is the image.',
    bad: 'FROM python:3.12-slim\n',
    good: `FROM python:3.12-slim@sha256:${'ab'.repeat(32)}\n`,
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { image, resource, place } of fromImages(facts.dockerfiles))
      if (image.digest === null && image.tag !== null)
        report({ message: `${image.name}:${image.tag} is not pinned by digest.`, place, resource })
  },
})

export const baseEndOfLife = defineRule({
  id: 'dockerfile.base-end-of-life',
  title: 'A base image gets no security fixes any more',
  severity: 'error',
  confidence: 'certain',
  hint: 'Move to a version that is still maintained.',
  references: ['https://endoflife.date/'],
  docs: {
    ...docs,
    what: 'Finds official images of Python, Node.js, Debian, Ubuntu, Alpine and PostgreSQL whose version has reached its end.',
    why: 'Holes that are found from now on stay open in it.',
    bad: 'FROM python:3.7-slim\n',
    good: 'FROM python:3.13-slim\n',
  },
  needs: { dockerfiles },
  check({ facts, report }) {
    for (const { image, resource, place } of fromImages(facts.dockerfiles)) {
      const ended = endedOn(endOfLife(image))
      if (ended !== null)
        report({
          message: `${image.name}:${image.tag} has had no security fixes since ${ended}.`,
          place,
          resource,
        })
    }
  },
})
