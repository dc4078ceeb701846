import type { SourcePlace } from '@havn/plugin-api'
import type { SourceText } from '../../source/source-text.ts'

/** A word of a directive. */
export interface NginxWord {
  /** Without its quotes; variables stay as they are written. */
  text: string
  place: SourcePlace
}

/** `proxy_pass http://app;`, or a block: `location /static/ { … }`. */
export interface NginxDirective {
  name: string
  args: readonly NginxWord[]
  /** Null for one that ends in a semicolon. */
  block: readonly NginxDirective[] | null
  /** Up to the semicolon, or the brace. */
  place: SourcePlace
  /** The block that it stands in; null at the top of its file. */
  parent: NginxDirective | null
}

/** A file of nginx's configuration. */
export interface NginxConfig {
  source: SourceText
  directives: readonly NginxDirective[]
  isDevelopment: boolean
}
