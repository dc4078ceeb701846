import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'

const run = promisify(execFile)

const PROBE_TIMEOUT_MS = 20_000

const probe = `
import importlib.util, json, sys
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "executable": sys.executable,
    "base": getattr(sys, "_base_executable", None) or sys.executable,
    "hasPip": importlib.util.find_spec("pip") is not None,
}))
`

const interpreterSchema = z.object({
  version: z.string(),
  /** Absolute path; a virtual environment's own. */
  executable: z.string(),
  /** The interpreter that a virtual environment was made from. */
  base: z.string(),
  hasPip: z.boolean(),
})
export type PythonInterpreter = z.infer<typeof interpreterSchema>

/** Starts an interpreter and asks what it is; null when it does not start (a shim without a version behind it). */
export async function probePython(
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<PythonInterpreter | null> {
  try {
    // -I: neither PYTHONPATH nor the current folder may change what is asked.
    const { stdout } = await run(path, ['-I', '-c', probe], { env, timeout: PROBE_TIMEOUT_MS })
    return interpreterSchema.parse(JSON.parse(stdout))
  } catch {
    return null
  }
}

const versions = `
import importlib.metadata as metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        found[name] = None
print(json.dumps(found))
`

/** Installed versions of distributions by name, null for those that are not installed. */
export async function readInstalledVersions(
  interpreter: string,
  names: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Record<string, string | null>> {
  if (names.length === 0) return {}
  const { stdout } = await run(interpreter, ['-c', versions, ...names], { env, timeout: PROBE_TIMEOUT_MS })
  return z.record(z.string(), z.string().nullable()).parse(JSON.parse(stdout))
}
