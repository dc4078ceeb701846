import { X509Certificate, createPrivateKey } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AcmeConfig } from '@havn/model'
import { Client, crypto, type Authorization, type Order } from 'acme-client'
import { AcmeProblem, explain, type Step } from './acme-problem.ts'
import { prepareTransport } from './acme-transport.ts'
import { ensurePrivateDirectory, writePrivateFile } from './private-files.ts'

const FIRST_POLL_MS = 1_000
const LAST_POLL_MS = 10_000
/** base64url, and no path (RFC 8555 §8.3). */
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/

/** What an order needs to know. */
export interface OrderOptions {
  directoryUrl: string
  /** PEM of the authorities that vouch for the directory's server; absent, those of the system. */
  trusted?: string
  /** PEM of the account's key. */
  accountKey: string
  email?: string
  externalAccount?: { keyId: string; hmacKey: string }
  domains: readonly string[]
  /** Of the certificate; P-256 where it is absent. */
  keyType?: AcmeConfig['keyType']
  /** One of the profiles that the authority offers. */
  profile?: string
  /** Folder whose files are the answers to http-01 challenges, by token. */
  challengeDirectory: string
  signal: AbortSignal
}

/**
 * Orders a certificate: an account where there is none, the answers to the authority's challenges, a new key, and the
 * chain. What the authority gave is looked at before it is believed.
 *
 * @returns chain and key in PEM.
 * @throws HAVN_ERR_ACME_*, or the signal's reason.
 */
export async function orderCertificate(options: OrderOptions): Promise<{ chain: string; key: string }> {
  const { directoryUrl, trusted, domains, email, externalAccount, profile, signal } = options
  prepareTransport(directoryUrl, trusted)
  const client = new Client({
    directoryUrl,
    accountKey: options.accountKey,
    ...(externalAccount && {
      externalAccountBinding: { kid: externalAccount.keyId, hmacKey: externalAccount.hmacKey },
    }),
  })
  let step: Step = 'directory'
  try {
    await untilAborted(client.getTermsOfServiceUrl(), signal)
    step = 'account'
    await untilAborted(ensureAccount(client, email), signal)
    step = 'order'
    const identifiers = domains.map((value) => ({ type: 'dns', value }))
    const order = await untilAborted(
      client.createOrder({ identifiers, ...(profile !== undefined && { profile }) }),
      signal,
    )
    await answerChallenges(client, order, options)
    const [key, csr] = await crypto.createCsr({ altNames: [...domains] }, await createKey(options.keyType))
    await untilAborted(client.finalizeOrder(order, csr), signal)
    const valid = await waitFor(client, order, ['valid'], signal)
    const chain = await untilAborted(client.getCertificate(valid), signal)
    assertFits(chain, key.toString(), domains)
    return { chain, key: key.toString() }
  } catch (cause) {
    // An order that took too long is the authority's fault; one that was broken off, nobody's.
    if (signal.aborted && (signal.reason as Error).name !== 'TimeoutError') throw signal.reason
    throw explain(cause, step, domains, directoryUrl)
  }
}

/** The account of before is asked for by its key (RFC 8555 §7.3.1): acme-client would update it with nothing. */
async function ensureAccount(client: Client, email: string | undefined): Promise<void> {
  try {
    await client.createAccount({ onlyReturnExisting: true })
  } catch (error) {
    const isNew = error instanceof AcmeProblem && error.problem.type?.endsWith(':accountDoesNotExist')
    if (!isNew) throw error
    const contact = email === undefined ? {} : { contact: [`mailto:${email}`] }
    await client.createAccount({ termsOfServiceAgreed: true, ...contact })
  }
}

/** Puts all answers in their place, then says so; takes them away when the authority has looked. */
async function answerChallenges(client: Client, order: Order, options: OrderOptions): Promise<void> {
  const { challengeDirectory, signal } = options
  const files: string[] = []
  try {
    const pending = (await untilAborted(client.getAuthorizations(order), signal)).filter(
      ({ status }) => status === 'pending',
    )
    const challenges = pending.map((authorization) => httpChallengeOf(authorization))
    await ensurePrivateDirectory(challengeDirectory)
    for (const challenge of challenges) {
      const file = join(challengeDirectory, challenge.token)
      files.push(file)
      await writePrivateFile(file, await client.getChallengeKeyAuthorization(challenge))
    }
    for (const challenge of challenges) await untilAborted(client.completeChallenge(challenge), signal)
    await waitFor(client, order, ['ready', 'valid'], signal)
  } finally {
    await Promise.all(files.map((file) => rm(file, { force: true })))
  }
}

function httpChallengeOf(authorization: Authorization) {
  const challenge = authorization.challenges.find(({ type }) => type === 'http-01')
  if (challenge === undefined)
    throw new AcmeProblem({ detail: `no http-01 challenge for ${authorization.identifier.value}` }, null)
  if (!TOKEN.test(challenge.token)) throw new AcmeProblem({ detail: 'a token that is not base64url' }, null)
  return challenge
}

/** Bounded by the signal alone: how long an authority may take is for its caller to say. */
async function waitFor(
  client: Client,
  order: Order,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<Order> {
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LAST_POLL_MS)) {
    const now = await untilAborted(client.getOrder(order), signal)
    if (wanted.includes(now.status)) return now
    if (now.status === 'invalid') throw await problemOf(client, now, signal)
    await sleep(pollMs, undefined, { signal })
  }
}

/** An order says that it is invalid; why, its challenges say. */
async function problemOf(client: Client, order: Order, signal: AbortSignal): Promise<AcmeProblem> {
  const authorizations = await untilAborted(client.getAuthorizations(order), signal)
  for (const { identifier, challenges } of authorizations) {
    for (const challenge of challenges) {
      const problem = (challenge as { error?: { type?: string; detail?: string } }).error
      if (problem !== undefined)
        return new AcmeProblem({ ...problem, detail: `${identifier.value}: ${problem.detail ?? ''}` }, null)
    }
  }
  return new AcmeProblem((order as { error?: object }).error ?? {}, null)
}

function createKey(type: AcmeConfig['keyType'] = 'ecdsa-p256'): Promise<Buffer> {
  switch (type) {
    case 'ecdsa-p256':
      return crypto.createPrivateEcdsaKey('P-256')
    case 'ecdsa-p384':
      return crypto.createPrivateEcdsaKey('P-384')
    case 'rsa-2048':
      return crypto.createPrivateRsaKey(2048)
    case 'rsa-4096':
      return crypto.createPrivateRsaKey(4096)
  }
}

function assertFits(chain: string, key: string, domains: readonly string[]): void {
  const certificate = new X509Certificate(chain)
  const isFor = domains.every((domain) => certificate.checkHost(domain) !== undefined)
  if (!isFor || !certificate.checkPrivateKey(createPrivateKey(key)))
    throw new AcmeProblem({ detail: 'the certificate is not the one that was ordered' }, null)
}

/** acme-client takes no signal: its answer is left behind, and its time is bounded by the transport. */
async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    work.catch(() => {})
  }
}
