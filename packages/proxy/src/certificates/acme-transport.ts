import { Agent } from 'node:https'
import { axios } from 'acme-client'
import { AcmeProblem, type Problem } from './acme-problem.ts'

const REQUEST_MS = 30_000
/** Far more than the longest chain of certificates. */
const MAX_RESPONSE_BYTES = 1024 * 1024
/** A nonce that has been used is asked for again by acme-client itself. */
const BAD_NONCE = 'urn:ietf:params:acme:error:badNonce'
/** What an answer stands for that is no problem document: whoever gave it is no authority now. */
const SERVER_INTERNAL = 'urn:ietf:params:acme:error:serverInternal'

/** Authorities to trust, for each origin that is to be trusted by others than the system's. */
const agents = new Map<string, Agent>()
let isReady = false

/**
 * Bounds what acme-client does on the network, and lets it say what an authority refused. Its HTTP client is one for the
 * whole process.
 */
export function prepareTransport(directoryUrl: string, trusted: string | undefined): void {
  if (trusted !== undefined) agents.set(new URL(directoryUrl).origin, new Agent({ ca: trusted }))
  if (isReady) return
  isReady = true
  const { defaults, interceptors } = axios
  Object.assign(defaults, {
    timeout: REQUEST_MS,
    maxContentLength: MAX_RESPONSE_BYTES,
    maxRedirects: 0,
    // Whoever orders waits by itself, and can be told to stop.
    acmeSettings: { ...(defaults as { acmeSettings?: object }).acmeSettings, retryMaxAttempts: 0 },
  })
  interceptors.request.use((config) => {
    const agent = config.url === undefined ? undefined : agents.get(new URL(config.url).origin)
    if (agent !== undefined) config.httpsAgent = agent
    return config
  })
  interceptors.response.use((response) => {
    const problem = response.data as Problem | null
    if (response.status < 400 || problem?.type === BAD_NONCE) return response
    const isDocument = typeof problem === 'object' && typeof problem?.type === 'string'
    const told = isDocument
      ? problem
      : { type: SERVER_INTERNAL, detail: `HTTP ${response.status} from ${response.config.url}` }
    throw new AcmeProblem(told, toRetryAfterMs(response.headers['retry-after']))
  })
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function toRetryAfterMs(value: unknown): number | null {
  if (typeof value !== 'string') return null
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}
