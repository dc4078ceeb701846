import { sendError } from '@havn/http'
import { hostErrors } from './errors.ts'
import type { Host } from './host.ts'
import { refuseUpgrade } from './refuse-upgrade.ts'

/** The host of a gateway without an app, which is only an edge: what the edge does not serve is a 404. */
export function createNoHost(): Host {
  return {
    takesPlain: false,
    handle({ request, response, target, record }) {
      const error = hostErrors.HAVN_ERR_APP_NONE({ path: target.path })
      record.error = error.code
      request.resume()
      sendError(response, 404, { message: error.message })
    },
    upgrade({ socket, record }) {
      record.status = 404
      refuseUpgrade(socket, 404)
    },
    async drain() {},
    async close() {},
  }
}
