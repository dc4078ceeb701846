import { resolve } from 'node:path'
import { startSupervisor, takeSystemdSockets, type GatewayOptions } from '@havn/gateway'
import type { EdgeOptions } from '@havn/model'
import { addressToUrl, type Address } from '@havn/model/address'
import { edgeModule } from '@havn/proxy'
import { planEdge } from '../builtin/edge-config.ts'
import { toGatewayTls } from '../builtin/gateway-tls.ts'
import { printError } from '../cli/print-error.ts'
import type { Terminal } from '../cli/terminal.ts'
import { loadConfig } from '../config/load-config.ts'
import { errors } from '../errors.ts'
import { resourceLimits } from './resource-limits.ts'
import { planPublicEndpoints, planServerSettings, type Overrides } from './settings.ts'
import { listenForStop } from './stop-request.ts'
import { ensureTls } from './ensure-tls.ts'
import { planTls } from './tls-settings.ts'

export interface ProxyOptions {
  configFile?: string
  /** Of the upstream for everything else. */
  address?: Address
  staticFiles?: { url: string; directory: string }[]
  overrides: Overrides
}

/**
 * Runs the edge alone, in front of whatever the config names.
 *
 * @returns the exit code.
 */
export async function proxy(options: ProxyOptions, terminal: Terminal): Promise<number> {
  const signals = listenForStop()
  try {
    const planned = await plan(options, terminal)
    // An address that was asked for wins.
    const sockets = options.overrides.bind ? [] : takeSystemdSockets(process.env)
    const gateway = await startSupervisor(planned, { sockets, signal: signals.signal })
    const scheme = planned.tls ? 'https' : 'http'
    const urls = gateway.addresses.map((address) => addressToUrl(address, scheme))
    terminal.stderr.write(`Proxying on ${urls.join(' and ')} (Ctrl-C stops it)\n`)
    const reload = async (): Promise<void> => {
      try {
        await gateway.reload({ options: await plan(options, terminal) })
      } catch (error) {
        printError(error, terminal)
      }
    }
    signals.onReload = () => void reload()
    const ended = await Promise.race([signals.requested.then(() => null), gateway.ended])
    if (ended) throw ended.error ?? errors.HAVN_ERR_RELEASE_ENDED({ reason: ended.reason })
    signals.force.addEventListener('abort', () => void gateway.stop({ force: true }), { once: true })
    await gateway.stop()
    return 0
  } catch (error) {
    // A start that was broken off as asked is no failure.
    if (error === signals.signal.reason) return 0
    throw error
  } finally {
    signals.close()
  }
}

/** @throws HAVN_ERR_CONFIG_*, HAVN_ERR_EDGE_*, HAVN_ERR_PROXY_NOTHING */
async function plan(options: ProxyOptions, terminal: Terminal): Promise<GatewayOptions> {
  const { overrides, address } = options
  const { config, directory } = await loadConfig(process.cwd(), options.configFile)
  const resources = await resourceLimits()
  const settings = planServerSettings({
    config,
    overrides,
    resources,
    isTerminal: terminal.isStdoutTerminal,
    isColored: terminal.isStdoutColored,
    threadModules: [],
    tls: await ensureTls(planTls(config, overrides, directory).value, terminal),
  })
  const staticFiles = [
    ...(options.staticFiles ?? []).map((folder) => ({ ...folder, directory: resolve(folder.directory) })),
    ...(config.staticFiles ?? []).map((folder) => ({
      ...folder,
      directory: resolve(directory, folder.directory),
    })),
  ].map((folder) => ({ kind: 'static' as const, ...folder }))
  const edge = planEdge({ app: { staticFiles }, edge: config.edge, upstream: address && { address } })
  if (!servesAnything(edge)) throw errors.HAVN_ERR_PROXY_NOTHING({})
  return {
    listeners: planPublicEndpoints(config, overrides).value.map((endpoint) => endpoint.address),
    app: { language: 'none' },
    threads: settings.threads ?? resources.cpus,
    edge: { module: edgeModule, config: edge },
    trustedProxies: [...settings.trustedProxies],
    ...(settings.proxyProtocol && { proxyProtocol: [...settings.proxyProtocol] }),
    ...(settings.tls && { tls: toGatewayTls(settings.tls) }),
    limits: settings.limits,
    timeouts: settings.timeouts,
    requestId: settings.requestId,
    log: settings.log,
  }
}

function servesAnything({ upstream, routes = [], staticFiles = [] }: EdgeOptions): boolean {
  return upstream !== undefined || routes.length > 0 || staticFiles.length > 0
}
