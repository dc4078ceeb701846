import { z } from 'zod'
import { jobSchema } from './workload.ts'

/** How an app is called: PEP 3333, ASGI 3, Fetch's `(Request) => Response`, or node:http's `(req, res)`. */
export const appInterfaceSchema = z.enum(['wsgi', 'asgi', 'fetch', 'node'])
export type AppInterface = z.infer<typeof appInterfaceSchema>

/** Why a fact has its value; shown by `platform explain`. */
export const evidenceSchema = z.object({
  /** Dotted path of the fact, such as `entry.target`. */
  fact: z.string(),
  /** A sentence: `manage.py names copenhagen.settings`. */
  because: z.string(),
  file: z.string().optional(),
  line: z.int().optional(),
})
export type Evidence = z.infer<typeof evidenceSchema>

export const appEntrySchema = z.object({
  interface: appInterfaceSchema,
  /** `module:attribute` for Python, a file relative to the root for JavaScript. */
  target: z.string(),
})
export type AppEntry = z.infer<typeof appEntrySchema>

/** Files that the edge may serve without asking the app. */
export const staticFilesSchema = z.object({
  /** URL prefix with slashes at both ends: `/static/`. */
  url: z.string().startsWith('/').endsWith('/'),
  /** Absolute folder. */
  directory: z.string(),
  /** Absolute folders looked at in this order where the first has no such file: another release's during a rollout. */
  fallbacks: z.array(z.string()).optional(),
  kind: z.enum(['static', 'media']).default('static'),
})
export type StaticFiles = z.output<typeof staticFilesSchema>

/** How the app's Python environment is made, as found in its source tree. */
export const pythonProjectSchema = z.object({
  language: z.literal('python'),
  /** Who installs: `none` where the tree names no requirements. */
  manager: z.enum(['pip', 'uv', 'poetry', 'none']),
  /** Files that decide what is installed, relative to the root, such as `requirements.txt`. */
  files: z.array(z.string()),
  /** A version specifier (PEP 440) such as `>=3.10`. */
  requiresPython: z.string().optional(),
})
export const nodeProjectSchema = z.object({
  language: z.literal('node'),
  manager: z.enum(['npm', 'pnpm', 'yarn', 'none']),
  files: z.array(z.string()),
})
export const projectSchema = z.discriminatedUnion('language', [pythonProjectSchema, nodeProjectSchema])
export type Project = z.infer<typeof projectSchema>
export type PythonProject = z.infer<typeof pythonProjectSchema>
export type NodeProject = z.infer<typeof nodeProjectSchema>

/** All that the rest of Havn knows of an app. JSON; crosses processes and is stored in releases. */
export const appFactsSchema = z.object({
  schemaVersion: z.literal(1).default(1),
  /** Short name, from the folder or the project's own files. */
  name: z.string(),
  /** Absolute path of the source tree. */
  root: z.string(),
  framework: z.object({ id: z.string(), name: z.string(), version: z.string().optional() }),
  project: projectSchema,
  /** The entry that will be served. */
  entry: appEntrySchema,
  /** The others that were found. */
  otherEntries: z.array(appEntrySchema).default([]),
  /** False when the app says it must not run on several threads at once (`wsgi.multithread`). */
  threadSafe: z.boolean().default(true),
  staticFiles: z.array(staticFilesSchema).default([]),
  /** Release steps in order: migrate, collectstatic. */
  jobs: z.array(jobSchema).default([]),
  /** Variables the app needs to boot, such as DJANGO_SETTINGS_MODULE. Never secrets. */
  env: z.record(z.string(), z.string()).default({}),
  /** A request that a healthy app answers below 500, with a Host that it accepts. */
  health: z.object({ path: z.string(), host: z.string() }),
  evidence: z.array(evidenceSchema).default([]),
})
export type AppFacts = z.output<typeof appFactsSchema>
export type AppFactsInput = z.input<typeof appFactsSchema>
