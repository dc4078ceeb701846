import { z } from 'zod'

/** How bad it is when a rule is right. */
export const severitySchema = z.enum(['info', 'warn', 'error'])

/** `pack.rule-name`. */
export const ruleIdSchema = z
  .string()
  .regex(/^[a-z][a-z0-9]*\.[a-z][a-z0-9-]*$/, 'Write it as pack.rule-name')

/** What an item of one's own is given. */
export interface CheckItemInput {
  /** The project's folder, absolute. */
  root: string
  /** Variables that the deployment sets for its processes. */
  environment: Readonly<Record<string, string>>
  /** The text of a file of the project, or null: there is none, or it lies elsewhere. */
  read(file: string): Promise<string | null>
  /** All files of the project, relative to its folder; without those that others made, such as `node_modules`. */
  files(): Promise<readonly string[]>
  /** Tells of a fault. */
  report(fault: CheckItemFault): void
  /** Aborted when it takes too long. */
  signal: AbortSignal
}

/** A fault that an item of one's own tells of. */
export interface CheckItemFault {
  /** What was seen. */
  message: string
  /** What to change, in place of the item's own words. */
  hint?: string
  /** Where, relative to the project's folder. */
  file?: string
  /** The line of the file, from 1. */
  line?: number
}

/** An item of one's own, as code. What it throws is an error of the item, which is never a pass. */
export type CheckItemFunction = (input: CheckItemInput) => void | Promise<void>

/** A check of one's own: a command whose exit code decides, or code. */
export const checkItemSchema = z
  .strictObject({
    /** By which it is waived, switched off and found again: `shop.licences`. */
    id: ruleIdSchema,
    /** What is wrong when it fails, in a few words. */
    title: z.string().min(1).max(200),
    severity: severitySchema.default('error'),
    /** What to do about it. */
    hint: z.string().min(1).optional(),
    /** A program and its arguments, run in the project's folder without a shell. Exit code 0 is a pass. */
    command: z.array(z.string()).min(1).max(1_000).optional(),
    /** A function, in platform.config.ts; or the file whose default export is one, relative to the config. */
    check: z
      .union([
        z.string().min(1),
        z.custom<CheckItemFunction>((value) => typeof value === 'function', 'expected a function'),
      ])
      .optional(),
    /** Longest that it may take. */
    timeoutMs: z.int().min(100).max(3_600_000).default(120_000),
  })
  .refine(({ command, check }) => (command === undefined) !== (check === undefined), {
    message: 'name either a command or a check',
  })
/** A check of one’s own, with its defaults. */
export type CheckItem = z.output<typeof checkItemSchema>
