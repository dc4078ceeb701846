import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { isCertificate, startLogged } from './faults-setup.ts'
import { python, temporaryDirectory } from './lifecycle-setup.ts'

const limitBytes = 128 * 1024 * 1024

/** A memory cgroup with a limit, as a container of its own would have; null where this user may make none. */
function makeCgroup(): string | null {
  const isV1 = existsSync('/sys/fs/cgroup/memory')
  const folder = join('/sys/fs/cgroup', isV1 ? 'memory' : '', `havn-${randomUUID()}`)
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limitBytes))
    return folder
  } catch {
    return null
  }
}

/** It may be removed once the last of its processes is gone from it. */
async function removeCgroup(folder: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return rmdirSync(folder)
    } catch {
      await sleep(50)
    }
  }
}

const cgroup = python === null ? null : makeCgroup()
if (cgroup !== null) await removeCgroup(cgroup)

test.skipIf(cgroup === null)(
  'a worker with a cgroup of its own that outgrows it: its record says how many were killed for that',
  async () => {
    const folder = makeCgroup()!
    onTestFinished(() => removeCgroup(folder))
    const wrapper = join(await temporaryDirectory(), 'python')
    writeFileSync(wrapper, `#!/bin/sh\necho $$ > ${folder}/cgroup.procs\nexec ${python} "$@"\n`, {
      mode: 0o755,
    })
    const { send, record } = await startLogged({ workers: 1, python: wrapper })
    expect((await send('POST', '/grow')).status).toBe(502)
    const certificate = await record('the certificate', isCertificate)
    expect(certificate).toMatchObject({ cause: 'signal', signal: 'SIGKILL', memory: { oomKills: 1 } })
  },
)
