import type { PlatformConfig } from '@havn/model'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { PluginLogger } from '../plugin.ts'
import type { SourceTree } from '../source-tree.ts'

/** How bad it is when the rule is right. */
export type Severity = 'info' | 'warn' | 'error'

/** How sure the rule is that it is right: `certain` read it, `likely` derived it, `possible` guesses. */
export type Confidence = 'certain' | 'likely' | 'possible'

/** A stretch of a text file. Lines and columns count from 1, columns in UTF-16 units; the end is exclusive. */
export interface SourcePlace {
  /** Relative to the tree's root, with slashes. */
  file: string
  line: number
  column: number
  endLine: number
  endColumn: number
}

/** Replaces the text between two offsets (UTF-16 units, the end exclusive) of a file. */
export interface TextEdit {
  file: string
  start: number
  end: number
  text: string
}

export interface Fix {
  /** In the imperative: `Pin the image by digest`. */
  title: string
  /** `safe` cannot change what the app does; `suggested` is for a person to look at. */
  safety: 'safe' | 'suggested'
  edits: readonly TextEdit[]
}

/** What was sent to a live site, and what came back; without secrets. */
export interface Exchange {
  request: string
  response: string
}

/** What a rule tells of one fault. What is left out is as the rule declares it. */
export interface FindingReport {
  /** What was seen. */
  message: string
  /** What to change; in place of the rule's own words. */
  hint?: string
  severity?: Severity
  confidence?: Confidence
  /** What it is about, where one file holds several: `stage build`, `Deployment/web`, `services.db`. */
  resource?: string
  place?: SourcePlace
  /** Other places that have to do with it. */
  related?: readonly { message: string; place: SourcePlace }[]
  exchange?: Exchange
  /** The text at its place is a secret: no report shows it. */
  isSensitive?: boolean
  fixes?: readonly Fix[]
}

/** What a check reports: a value, never an exception. */
export interface Finding {
  /** Stable id of the rule, such as `django.debug-on`. */
  rule: string
  severity: Severity
  confidence: Confidence
  message: string
  /** What to change. */
  hint: string
  resource: string | null
  place: SourcePlace | null
  related: readonly { message: string; place: SourcePlace }[]
  exchange: Exchange | null
  isSensitive: boolean
  fixes: readonly Fix[]
}

/** What facts are collected from. */
export interface FactContext {
  tree: SourceTree
  /** Variables that the deployment sets for its processes. */
  environment: Readonly<Record<string, string>>
  /** The project's configuration; null where there is none. */
  config: PlatformConfig | null
  /** The site that live probes may ask; null when the user named none. */
  site: URL | null
  logger: PluginLogger
  signal: AbortSignal
}

/** What a fact is collected with: the context, and other facts. */
export interface FactCollector extends FactContext {
  /** Another fact, collected once for all; rejects when that one fails. Facts must not need each other in a circle. */
  get<Value>(fact: Fact<Value>): Promise<Value | null>
}

/** Something that rules judge, collected at most once a run. Facts of several packs are one fact when their ids are. */
export interface Fact<Value = unknown> {
  /** Such as `dockerfiles`. */
  id: string
  /** For people, in the plural where there may be several: `Dockerfiles`. */
  title: string
  /** Null when there is nothing of the kind: rules that need it are skipped. */
  collect(collector: FactCollector): Promise<Value | null>
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- facts of any value; a rule's own are typed by their keys
export type FactsNeeded = Readonly<Record<string, Fact<any>>>

/** The values of the facts that a rule names. */
export type FactValues<Needs extends FactsNeeded> = {
  readonly [Name in keyof Needs]: Needs[Name] extends Fact<infer Value> ? Value : never
}

/** What people read about a rule: its page in the reference is made of it. */
export interface RuleDocs {
  /** What the rule finds, in a sentence or two. */
  what: string
  /** What happens to those who ignore it. */
  why: string
  bad: string
  good: string
  /** The language of both examples, as code fences name it. */
  language: string
}

/** A rule over facts. */
export interface CheckRule<Needs extends FactsNeeded = FactsNeeded, Options = unknown> {
  /** Stable: `pack.what-is-wrong`. Never given to another rule. */
  id: string
  /** What is wrong when it fires, in a few words. */
  title: string
  severity: Severity
  confidence: Confidence
  /** What to change, in the imperative. */
  hint: string
  /** The same rule elsewhere (`DL3002`, `CKV_DOCKER_8`), and where its reason is written (a URL). */
  references: readonly string[]
  docs: RuleDocs
  /** A Standard Schema of its options, each with a default. */
  options?: StandardSchemaV1<unknown, Options>
  /** Longest that it may take, in milliseconds, where that is not the run's own limit. */
  timeoutMs?: number
  /** Facts without which it is skipped. */
  needs: Needs
  check(input: {
    facts: FactValues<Needs>
    options: Options
    report(finding: FindingReport): void
    signal: AbortSignal
  }): void | Promise<void>
}

/** A pack of rules. */
export interface ChecksContract {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- rules over any facts
  rules: readonly CheckRule<any, any>[]
}
