import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'

const stampSchema = z.object({
  schemaVersion: z.literal(1),
  fingerprint: z.string(),
  /** RFC 3339. */
  finishedAt: z.string(),
})

/** When a job last succeeded, and with what. */
export type JobStamp = z.output<typeof stampSchema>

/** Null when the job never succeeded here, or the stamp can't be read: the job then runs. */
export async function readStamp(stateDirectory: string, jobId: string): Promise<JobStamp | null> {
  const text = await readFile(stampPath(stateDirectory, jobId), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return stampSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

export async function writeStamp(stateDirectory: string, jobId: string, fingerprint: string): Promise<void> {
  const path = stampPath(stateDirectory, jobId)
  const stamp: JobStamp = { schemaVersion: 1, fingerprint, finishedAt: new Date().toISOString() }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, JSON.stringify(stamp))
  await rename(`${path}.new`, path)
}

function stampPath(stateDirectory: string, jobId: string): string {
  return join(stateDirectory, 'stamps', `${encodeURIComponent(jobId)}.json`)
}
