import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ensurePython, requirePart } from '@havn/tools/parts'
import { expect, test } from 'vitest'
import { copyApp, examplesDirectory, runPlatform } from '../src/index.ts'

interface Report {
  findings: { rule: string; severity: string; status: string }[]
  rules: { id: string; outcome: string; reason: string | null }[]
}

const examples = await readdir(examplesDirectory)
const python = await requirePart('Django', () => ensurePython(['Django>=5.2,<5.3']))

test.skipIf(python === null).each(examples)(
  'examples/%s has nothing at warn or above, and nothing waived',
  { timeout: 120_000 },
  async (name) => {
    const app = await copyApp(join(examplesDirectory, name))
    try {
      const args = ['check', app.directory, '--python', python!, '--format', 'json', '--fail-level', 'warn']
      const { code, stdout, stderr } = await runPlatform(args)
      expect(stderr).toBe('')
      const { findings, rules } = JSON.parse(stdout) as Report
      expect(rules.filter(({ outcome }) => outcome === 'errored')).toEqual([])
      expect(rules.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(10)
      expect(findings.filter(({ severity, status }) => severity !== 'info' || status !== 'open')).toEqual([])
      // Settings that did not boot would be judged by their text alone.
      expect(findings.map(({ rule }) => rule)).not.toContain('django.not-booted')
      expect(code).toBe(0)
    } finally {
      await app.remove()
    }
  },
)
