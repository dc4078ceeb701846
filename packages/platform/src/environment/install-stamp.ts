import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Project } from '@havn/model'
import { z } from 'zod'

/** Lies in the environment that it describes, so that both come and go together. */
const stampFile = 'havn-environment.json'

const stampSchema = z.object({
  /** Where the environment lay: scripts in it name their interpreter by its whole path, so a copy is no environment. */
  path: z.string(),
  /** Fingerprint of what was installed to the end; null before the first, and while one runs. */
  installed: z.string().nullable(),
})
export type InstallStamp = z.infer<typeof stampSchema>

/** What Havn knows of an environment; null when it has done nothing there, or when it was moved there. */
export async function readStamp(environment: string): Promise<InstallStamp | null> {
  try {
    const stamp = stampSchema.parse(JSON.parse(await readFile(join(environment, stampFile), 'utf8')))
    return stamp.path === environment ? stamp : null
  } catch {
    return null
  }
}

/** Replaces the stamp in one step: an interrupted write leaves the old one. */
export async function writeStamp(
  environment: string,
  { installed }: Omit<InstallStamp, 'path'>,
): Promise<void> {
  const path = join(environment, stampFile)
  await writeFile(`${path}.new`, JSON.stringify({ path: environment, installed }) + '\n')
  await rename(`${path}.new`, path)
}

/** A digest of everything that decides what is installed. */
export async function fingerprintOf(input: {
  root: string
  project: Project
  /** Of the interpreter. */
  version: string
  extraRequirements: readonly string[]
}): Promise<string> {
  const { root, project, version, extraRequirements } = input
  const hash = createHash('sha256')
  hash.update(JSON.stringify([version, project.manager, [...extraRequirements].sort()]))
  for (const file of await withIncluded(root, project.files)) {
    hash.update(JSON.stringify([file, await readFile(join(root, file), 'utf8').catch(() => null)]))
  }
  return hash.digest('hex')
}

/** Requirements files, and those that they include with -r or -c. */
async function withIncluded(root: string, files: readonly string[]): Promise<string[]> {
  const all = new Set<string>()
  const queue = [...files]
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    if (all.has(file)) continue
    all.add(file)
    if (!file.endsWith('.txt')) continue
    const text = await readFile(join(root, file), 'utf8').catch(() => '')
    const included = text.matchAll(/^\s*(?:-r|-c|--requirement|--constraint)[ =]*(\S+)/gm)
    for (const [, name = ''] of included) queue.push(join(dirname(file), name))
  }
  return [...all]
}
