/** A reference to an image, as `FROM` has it. */
export interface ImageReference {
  /** With its registry, without tag and digest. */
  name: string
  tag: string | null
  /** `sha256:…`. */
  digest: string | null
}

/** Reads a reference to an image: `registry:5000/shop:1.4@sha256:…`. */
export function parseImage(text: string): ImageReference {
  const [before, digest = null] = text.split('@', 2) as [string, string?]
  const colon = before.lastIndexOf(':')
  // The colon of `registry:5000/name` begins a port.
  if (colon === -1 || before.includes('/', colon)) return { name: before, tag: null, digest }
  return { name: before.slice(0, colon), tag: before.slice(colon + 1), digest }
}

const MOVING = /^(?:latest|stable|edge|nightly|lts|current|main|master)$/

/** A tag that names something else from day to day, by design. */
export function isMovingTag(tag: string | null): boolean {
  return MOVING.test(tag ?? '')
}
