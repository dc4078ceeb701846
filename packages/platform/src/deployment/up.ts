import { rmdir } from 'node:fs/promises'
import type { AppFacts, Endpoint, PluginRef, Release } from '@havn/model'
import { addressToUrl } from '@havn/model/address'
import type { MonitorContract, OrchestratorContract, Target } from '@havn/plugin-api'
import { listenForStop, type StopRequest } from './stop-request.ts'
import { describeGate } from '../cli/describe-gate.ts'
import { Progress } from '../cli/progress.ts'
import { printError } from '../cli/print-error.ts'
import { paint, type Terminal } from '../cli/terminal.ts'
import { readStatus } from '../control/control-client.ts'
import { startControlServer, type DeploymentStatus } from '../control/control-server.ts'
import { errors } from '../errors.ts'
import { assertAddressFree, findFreePort } from './address-preflight.ts'
import { passGate, type GatePolicy, type GateReport } from './check-gate.ts'
import { planRelease } from './plan-release.ts'
import { findApp, openProject, type FoundApp, type Project, type ProjectOptions } from './project.ts'
import { proveRelease } from './prove-release.ts'
import { findRequiredPrograms } from './required-programs.ts'
import { resourceLimits } from './resource-limits.ts'
import { planPublicEndpoints, planServerSettings, type Overrides } from './settings.ts'
import { ensureTls } from './ensure-tls.ts'
import { planTls } from './tls-settings.ts'
import { ensureRunDirectory, ensureStateDirectory } from './state-directories.ts'

export interface UpOptions extends ProjectOptions {
  python?: string
  overrides: Overrides
  gate: GatePolicy
}

/**
 * Takes an app from its source tree to being served, in the foreground: environment, release steps, workloads;
 * then waits for a signal, drains and stops.
 *
 * @returns the exit code: 0 after an asked-for stop.
 */
export async function up(options: UpOptions, terminal: Terminal): Promise<number> {
  const progress = new Progress(terminal)
  const signals = listenForStop()
  const project = await openProject(options)
  try {
    return await upProject({ project, options, terminal, progress, signals })
  } finally {
    progress.close()
    await project.close()
    // Only when nothing else is left in it: another `up` may hold it.
    await rmdir(project.runDirectory).catch(() => {})
    signals.close()
  }
}

interface UpInput {
  project: Project
  options: UpOptions
  terminal: Terminal
  progress: Progress
  signals: StopRequest
}

async function upProject(input: UpInput): Promise<number> {
  const { project, options, terminal, progress, signals } = input
  const { registry, config } = project
  const { signal } = signals

  await assertNotUp(project)
  const tls = await ensureTls(planTls(config, options.overrides, project.loaded.directory).value, terminal)
  await Promise.all((tls?.redirectFrom ?? []).map(assertAddressFree))
  const publicEndpoints = await chooseAddresses(planPublicEndpoints(config, options.overrides).value)

  const server = await registry.open('server', config.server ?? 'gateway')
  const proxy = await registry.open('proxy', config.proxy ?? 'edge')
  const programs = await findRequiredPrograms(proxy)
  const monitors = await openMonitors(project)
  await ensureStateDirectory(project.root)
  const found = await findApp(project, {
    install: true,
    python: options.python,
    extraRequirements: server.instance.pythonRequirements,
    onEvent: progress.onEvent,
    signal,
  })

  const resources = await resourceLimits()
  const target: Target = {
    orchestrator: 'orchestrator.local',
    runDirectory: await ensureRunDirectory(project.root),
    interpreter: found.runtime.interpreter,
    cpus: resources.cpus,
    runsAsRoot: process.getuid?.() === 0,
    programs,
  }
  const { release, unsupported } = planRelease({
    app: found.facts,
    config,
    server,
    proxy,
    monitors,
    target,
    publicEndpoints,
    freePort: await findFreePort(),
    settings: planServerSettings({
      config,
      overrides: options.overrides,
      resources,
      isTerminal: terminal.isStdoutTerminal,
      isColored: terminal.isStdoutColored,
      threadModules: monitors.flatMap((monitor) => monitor.threadModules ?? []),
      tls,
    }),
    now: new Date(),
  })

  const gate = passGate(project, options.gate, { python: pythonOf(found), signal })
  // Where it refuses, nothing may have changed; where it only tells, nobody waits for it.
  if (options.gate.refusesAt !== null) await gate
  else gate.catch(() => {})

  progress.heading(describeApp(found.facts, terminal))
  for (const { path, what, instead } of unsupported)
    warn(`${proxy.id}: ${path}: ${what}. Instead: ${instead}.`, terminal)
  const orchestrator = (await registry.open('orchestrator', config.orchestrator ?? 'local')).instance
  const apply = {
    release,
    runtime: found.runtime,
    runDirectory: target.runDirectory,
    signal,
    onEvent(event: Parameters<Progress['onEvent']>[0]) {
      if (event.type === 'process.output') progress.output(event.line)
      else progress.onEvent(event)
      for (const monitor of monitors) monitor.receive(event)
    },
  }
  for (const job of release.jobs) await orchestrator.runJob(job, apply)
  await orchestrator.apply({ ...apply, plan: orchestrator.plan(release, null) })

  return serveUntilStopped({ ...input, orchestrator, release, publicEndpoints, gate })
}

/** The release answers: says where, and waits for whichever comes first, a signal or the release's own end. */
async function serveUntilStopped(
  input: UpInput & {
    orchestrator: OrchestratorContract
    release: Release
    publicEndpoints: Endpoint[]
    gate: Promise<GateReport>
  },
): Promise<number> {
  const { project, terminal, progress, signals, orchestrator, release, publicEndpoints } = input
  const stopRequested = Promise.withResolvers<void>()
  const since = new Date().toISOString()
  const urls = publicEndpoints.map(({ address, protocol }) =>
    addressToUrl(address, protocol === 'https' ? 'https' : 'http'),
  )
  const reload = async () => {
    try {
      await orchestrator.reload(signals.signal)
    } catch (error) {
      progress.close()
      if (!signals.signal.aborted) printError(error, terminal)
      throw error
    }
  }
  signals.onReload = () => void reload().catch(() => {})
  const control = await startControlServer(project.runDirectory, {
    status: async () => ({ ...describeStatus(release, urls, since), processes: await orchestrator.status() }),
    release: () => release,
    stop: () => stopRequested.resolve(),
    reload,
  })
  try {
    // Only now: among the steps, it would come between a line and its end.
    void input.gate.then(
      (report) => describeGate(report).forEach((line) => warn(line, terminal)),
      () => {},
    )
    await announce({ terminal, release, publicEndpoints, urls })
    const asked = Promise.race([signals.requested, stopRequested.promise]).then(() => null)
    const ended = await Promise.race([asked, orchestrator.ended()])
    if (ended) throw errors.HAVN_ERR_RELEASE_ENDED({ reason: ended.reason }, { cause: ended.error })
    progress.heading('Stopping: requests in flight may finish.')
    await orchestrator.destroy(signals.force)
    return 0
  } finally {
    await orchestrator.destroy(AbortSignal.timeout(10_000))
    await control.close()
  }
}

/** The interpreter that has the app's requirements, where the app is Python. */
function pythonOf({ facts, runtime }: FoundApp): string | undefined {
  return ['wsgi', 'asgi'].includes(facts.entry.interface) ? runtime.interpreter : undefined
}

/** Fails early where an address is taken; port 0 becomes a port that is free now, since proxies and proofs name it. */
async function chooseAddresses(endpoints: readonly Endpoint[]): Promise<Endpoint[]> {
  return Promise.all(
    endpoints.map(async (endpoint) => {
      const { address } = endpoint
      await assertAddressFree(address)
      if (address.type !== 'tcp' || address.port !== 0) return endpoint
      return { ...endpoint, address: { ...address, port: await findFreePort() } }
    }),
  )
}

async function assertNotUp(project: Project): Promise<void> {
  const running = await readStatus(project.runDirectory)
  if (running) throw errors.HAVN_ERR_ALREADY_UP({ root: project.root, pid: running.pid })
}

/** The config's monitors; OTLP by itself where the standard variables ask for it. */
async function openMonitors({ registry, config }: Project): Promise<MonitorContract[]> {
  const asked: (string | PluginRef)[] = [...(config.monitors ?? [])]
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = process.env
  const hasOtlp = asked.some((choice) =>
    ['otlp', 'monitor.otlp'].includes(typeof choice === 'string' ? choice : choice.id),
  )
  if ((endpoint || traces) && !hasOtlp) asked.push('otlp')
  return Promise.all(asked.map(async (choice) => (await registry.open('monitor', choice)).instance))
}

function describeApp({ name, framework, entry }: AppFacts, terminal: Terminal): string {
  const version = framework.version ? ` ${framework.version}` : ''
  const title = paint(terminal.isStderrColored, 'bold', name)
  return `${title}: ${framework.name}${version}, ${entry.interface.toUpperCase()} ${entry.target}`
}

function describeStatus(
  release: Release,
  urls: string[],
  since: string,
): Omit<DeploymentStatus, 'processes'> {
  const { name, framework, entry, root } = release.app
  return { pid: process.pid, name, framework, entry, root, release: release.id, urls, since }
}

/**
 * Prints the address after a real request went through it. An app that answers 5xx is up, and told of; one that
 * takes only another name (ALLOWED_HOSTS) is shown under that name.
 */
async function announce(input: {
  terminal: Terminal
  release: Release
  publicEndpoints: Endpoint[]
  urls: string[]
}): Promise<void> {
  const { terminal, release, publicEndpoints, urls } = input
  const { health } = release.app
  const shown = [...urls]
  const [first] = publicEndpoints
  if (first) {
    const proof = await proveRelease(first, health)
    if (proof.status >= 500) {
      warn(`${proof.path} answers ${proof.status}: the app is up, but not well; its log says why.`, terminal)
    }
    if (first.address.type === 'tcp' && proof.status < 400) {
      const natural = new URL(urls[0]!).host
      const { status } = await proveRelease(first, { path: health.path, host: natural })
      if (status === 400) {
        shown[0] = `${first.protocol}://${health.host}:${first.address.port}/`
        warn(
          `the app refuses the name ${natural}: open it as ${health.host}, or add the name to ALLOWED_HOSTS.`,
          terminal,
        )
      }
    }
  }
  const where = shown.map((url) => paint(terminal.isStderrColored, 'bold', url)).join('  ')
  terminal.stderr.write(`\n  ${where}\n  Ctrl-C stops it.\n\n`)
}

function warn(text: string, terminal: Terminal): void {
  terminal.stderr.write(`${paint(terminal.isStderrColored, 'yellow', `warning: ${text}`)}\n`)
}
