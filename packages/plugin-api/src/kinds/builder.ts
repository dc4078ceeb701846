import type { AppFacts } from '@havn/model'

/** What a builder is asked for. */
export interface BuildRequest {
  app: AppFacts
  tags: readonly string[]
  /** `linux/amd64`, `linux/arm64`. */
  platforms: readonly string[]
}

/** An OCI image, named by digest. */
export interface Image {
  reference: string
  /** `sha256:` and 64 hex digits, of the manifest or index. */
  digest: string
  sizeBytes: number
}

/** Produces an OCI image. */
export interface BuilderContract {
  build(request: BuildRequest, signal: AbortSignal): Promise<Image>
}
