import type { Duplex } from 'node:stream'
import type { RequestRecord } from '@havn/telemetry'

type Step = (...all: unknown[]) => never

/** Notes the status with which an app of this thread answers an Upgrade request: the first that it writes. */
export function noteUpgradeStatus(socket: Duplex, record: RequestRecord): void {
  const write = socket.write.bind(socket) as Step
  const end = socket.end.bind(socket) as Step
  const noting =
    (step: Step): Step =>
    (...all) => {
      socket.write = write
      socket.end = end
      const status = /^HTTP\/1\.1 (\d{3})/.exec(String(all[0]).slice(0, 16))?.[1]
      if (status !== undefined) record.status = Number(status)
      return step(...all)
    }
  socket.write = noting(write)
  socket.end = noting(end)
}
