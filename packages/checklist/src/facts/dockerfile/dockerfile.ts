import type { SourcePlace } from '@havn/plugin-api'
import type { MappedText } from '../../source/mapped-text.ts'
import type { SourceText } from '../../source/source-text.ts'

/** A word of an instruction, as the shell would split it. */
export interface DockerWord {
  /** Without its quotes. */
  text: string
  place: SourcePlace
}

export interface DockerFlag {
  /** `from`, `mount`, `platform`. */
  name: string
  /** Null for one without `=`. */
  value: string | null
  place: SourcePlace
}

export interface Heredoc {
  name: string
  /** The lines between. */
  body: MappedText
}

/** One instruction, whatever lines it takes. */
export interface DockerInstruction {
  /** In upper case; what Docker does not know is kept as well. */
  keyword: string
  place: SourcePlace
  /** What follows the keyword and the flags: continuation lines joined, comments between them left out. */
  rest: MappedText
  flags: readonly DockerFlag[]
  /** The strings of the exec form (`["nginx", "-g"]`); null in shell form. */
  exec: readonly string[] | null
  words: readonly DockerWord[]
  heredocs: readonly Heredoc[]
  /** What `ONBUILD` or `HEALTHCHECK` holds; null in all others. */
  inner: DockerInstruction | null
}

/** From one `FROM` to the next. */
export interface DockerStage {
  from: DockerInstruction
  /** In lower case, as `COPY --from` finds it; null without `AS`. */
  name: string | null
  /** With build arguments put in, as far as they are known. */
  image: string
  /** The stage of this file that it builds on; null for an image from elsewhere. */
  base: DockerStage | null
  /** Without `FROM`. */
  instructions: readonly DockerInstruction[]
}

export interface Dockerfile {
  source: SourceText
  /** Before the first `FROM`. */
  preamble: readonly DockerInstruction[]
  stages: readonly DockerStage[]
  /** The stage that is built by default: the last one; null in a file without any. */
  final: DockerStage | null
}
