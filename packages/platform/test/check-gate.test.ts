import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeGate } from '../src/cli/describe-gate.ts'
import { passGate, type GatePolicy } from '../src/deployment/check-gate.ts'
import { openProject } from '../src/deployment/project.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-gate-'))
  await writeFile(
    join(directory, 'Dockerfile'),
    'FROM python:3.13-slim\nADD . /app\nUSER 10001\nCMD ["python", "manage.py", "runserver", "0.0.0.0:8000"]\n',
  )
})
afterEach(() => rm(directory, { recursive: true }))

async function pass(policy: Partial<GatePolicy>, signal = new AbortController().signal) {
  const project = await openProject({ directory })
  try {
    return await passGate(
      project,
      { isSkipped: false, refusesAt: null, ...policy },
      { python: 'python3', signal },
    )
  } finally {
    await project.close()
  }
}

describe('a gate that only tells', () => {
  test('counts what it found, and names the errors', async () => {
    const lines = describeGate(await pass({}))
    expect(lines[0]).toMatch(
      /^The check found 1 error and \d+ warnings?; platform check shows all, and what to do\.$/,
    )
    expect(lines.slice(1)).toEqual([
      "Dockerfile:4: It starts Django's runserver. (dockerfile.development-server)",
    ])
  })

  test('says nothing where there is nothing', async () => {
    await rm(join(directory, 'Dockerfile'))
    expect(describeGate(await pass({}))).toEqual([])
  })

  test('says that nothing was checked', async () => {
    expect(describeGate(await pass({ isSkipped: true, refusesAt: 'info' }))).toEqual([
      'The check was skipped, as --skip-check asks.',
    ])
  })

  test('says so where the checklist itself is wrong, and goes on', async () => {
    const config = { checks: { rules: { 'dockerfile.tag-mising': 'off' } } }
    await writeFile(join(directory, 'platform.config.json'), JSON.stringify(config))
    expect(describeGate(await pass({}))).toEqual([
      'The check could not run: checks.rules names the rule "dockerfile.tag-mising", which no pack has.',
    ])
  })

  test('says so where a rule could not run', async () => {
    await rm(join(directory, 'Dockerfile'))
    const items = [{ id: 'shop.own', title: 'It is wrong', command: ['no-such-program-there-is'] }]
    await writeFile(join(directory, 'platform.config.json'), JSON.stringify({ checks: { items } }))
    expect(describeGate(await pass({}))).toEqual([
      'The check found nothing, and 1 rule could not run; platform check shows all, and what to do.',
    ])
  })
})

describe('a gate that refuses', () => {
  test('lets nothing at its level through, and says what', async () => {
    await expect(pass({ refusesAt: 'error' })).rejects.toMatchObject({
      code: 'HAVN_ERR_CHECK_REFUSED',
      exit: 3,
      message: expect.stringContaining("- Dockerfile:4: It starts Django's runserver."),
    })
  })

  test('lets through what is below it', async () => {
    await writeFile(join(directory, 'Dockerfile'), 'FROM python:3.13-slim\nADD . /app\nUSER 10001\n')
    expect(await pass({ refusesAt: 'error' })).toMatchObject({
      type: 'checked',
      result: { hasFailed: false },
    })
    await expect(pass({ refusesAt: 'warn' })).rejects.toMatchObject({ code: 'HAVN_ERR_CHECK_REFUSED' })
  })

  test('lets nothing through that could not be checked', async () => {
    const config = { checks: { rules: { 'dockerfile.tag-mising': 'off' } } }
    await writeFile(join(directory, 'platform.config.json'), JSON.stringify(config))
    await expect(pass({ refusesAt: 'error' })).rejects.toMatchObject({ code: 'HAVN_ERR_CHECK_RULE_UNKNOWN' })
  })
})

test('a gate that is broken off rejects, whatever its policy', async () => {
  const reason = new Error('Ctrl-C')
  await expect(pass({}, AbortSignal.abort(reason))).rejects.toBe(reason)
})
