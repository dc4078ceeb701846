import type { Duplex } from 'node:stream'
import type { RequestRecord } from '@havn/telemetry'

/** Notes the status with which an app of this thread answers an Upgrade request: the first that it writes. */
export function noteUpgradeStatus(socket: Duplex, record: RequestRecord): void {
  const write = socket.write.bind(socket) as Duplex['write']
  socket.write = ((...all: Parameters<Duplex['write']>) => {
    socket.write = write
    const status = /^HTTP\/1\.1 (\d{3})/.exec(String(all[0]).slice(0, 16))?.[1]
    if (status !== undefined) record.status = Number(status)
    return write(...all)
  }) as Duplex['write']
}
