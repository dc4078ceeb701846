import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { sendError, type RequestTarget } from '@havn/http'
import type { EdgeHandler } from '@havn/plugin-api'

/** What authorities ask for over plain HTTP before there is a certificate (RFC 8555 §8.3). */
export const CHALLENGES = '/.well-known/acme-challenge/'
/** base64url, and no path. */
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/

/**
 * Answers http-01 challenges by the files of a folder, before the edge and over http and https alike: what stands in
 * front may have sent the authority to https.
 */
export function answerChallenges(edge: EdgeHandler | null, directory: string): EdgeHandler {
  return {
    ...(edge?.handlePlain !== undefined && { handlePlain: (plain) => edge.handlePlain!(plain) }),
    ...(edge?.errorPage !== undefined && { errorPage: (status) => edge.errorPage!(status) }),
    wants(target) {
      if (isChallenge(target)) return true
      return edge !== null && (edge.wants?.(target) ?? true)
    },
    handle(request, response, target) {
      if (!isChallenge(target)) return edge?.handle(request, response, target) ?? false
      if (request.method !== 'GET' && request.method !== 'HEAD')
        sendError(response, 405, { close: true, headers: { allow: 'GET, HEAD' } })
      else void answer(response, join(directory, target.path.slice(CHALLENGES.length)))
      return true
    },
    upgrade: (request, socket, head, target) => edge?.upgrade?.(request, socket, head, target) ?? false,
    // The edge is another's to close.
    close: async () => {},
  }
}

function isChallenge({ path }: RequestTarget): boolean {
  return path.startsWith(CHALLENGES) && TOKEN.test(path.slice(CHALLENGES.length))
}

async function answer(response: ServerResponse, file: string): Promise<void> {
  const text = await readFile(file).catch(() => null)
  if (text === null) return sendError(response, 404)
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': text.length,
    'cache-control': 'no-store',
  })
  response.end(response.req.method === 'HEAD' ? undefined : text)
}
