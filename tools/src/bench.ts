import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { judge, type Bar } from './bench/bar.ts'
import { checkWorks, ensureCheckers, judgeChecks } from './bench/check.ts'
import { compare, type Work } from './bench/comparison.ts'
import { killContenders } from './bench/contender.ts'
import { dispatchWorks } from './bench/dispatch.ts'
import { edgeBars } from './bench/edge-bars.ts'
import { edgeWorks, ensureEdgePython } from './bench/edge.ts'
import { gatewayBars } from './bench/gateway-bars.ts'
import { ensureGatewayPython, gatewayWorks } from './bench/gateway.ts'
import {
  readCheckerVersions,
  readMachine,
  readOwnVersions,
  readProxyVersions,
  readVersions,
} from './bench/machine-facts.ts'
import { ensureWatt } from './bench/node-contenders.ts'
import { sourceCommand } from './bench/own-contender.ts'
import { comparePrograms, formatProgramWork, type ProgramResult } from './bench/program-runs.ts'
import { formatOrigin, formatReport, formatVerdicts, formatWork, type BenchReport } from './bench/report.ts'
import { ensureInstalledPlatform } from './packing/index.ts'
import { ensureDebian } from './parts/index.ts'

const usage = `npm run bench -- gateway [options]      ours and its peers in turn, over loopback, on a quiet machine
npm run bench -- dispatch [options]     JavaScript apps inline and one request a task, the same way
npm run bench -- edge [options]         the edge beside nginx, Caddy and WhiteNoise
npm run bench -- check [options]        the deploy check beside Django's own, hadolint and checkov
npm run bench -- report FILE...         tables and verdict of what --json wrote

  --quick                one round of a second at c=32, hardly warmed up: to see that all runs
  --only work,work       django-wsgi, polls, raw-wsgi, upload-64k, stream-1m, neighbours, django-asgi, raw-asgi, js, start;
                         of dispatch: busy, hello; of edge: proxy, file-10k, file-1m, stack, stack-hello, slow-clients;
                         of check: polls, manifests, dockerfiles
  --servers name,name    such as "havn,gunicorn sync"
  --connections 8,32     of those that a work has
  --rounds 5             every server once in each
  --duration 3           seconds of each run
  --source               ours from TypeScript instead of built, packed and installed
  --json FILE            all figures; written after each work
  --markdown FILE        the tables that are printed
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    servers: { type: 'string' },
    connections: { type: 'string' },
    rounds: { type: 'string' },
    duration: { type: 'string' },
    source: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
})
const gatewaySuite: Suite = {
  name: 'gateway',
  bars: gatewayBars,
  works: gatewayWorks,
  async versions(wrk) {
    const python = await ensureGatewayPython()
    const nginx = await ensureDebian('nginx', 'nginx-light')
    return readVersions({ python, nginx, wrk, watt: await ensureWatt() })
  },
}
const dispatchSuite: Suite = {
  name: 'dispatch',
  bars: [],
  works: dispatchWorks,
  versions: readOwnVersions,
}
const edgeSuite: Suite = {
  name: 'edge',
  bars: edgeBars,
  works: edgeWorks,
  async versions(wrk) {
    const nginx = await ensureDebian('nginx', 'nginx-light')
    const caddy = await ensureDebian('caddy')
    return readProxyVersions({ nginx, caddy, wrk, python: await ensureEdgePython() })
  },
}
const [verb, ...files] = positionals
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killContenders()
    process.exit(1)
  })
}
if (verb === 'gateway' && files.length === 0) {
  await bench(gatewaySuite)
} else if (verb === 'dispatch' && files.length === 0) {
  await bench(dispatchSuite)
} else if (verb === 'edge' && files.length === 0) {
  await bench(edgeSuite)
} else if (verb === 'check' && files.length === 0) {
  await benchCheck()
} else if (verb === 'report' && files.length > 0) {
  await printReports()
} else {
  console.error(usage)
  process.exitCode = 2
}

/** What is measured together, once under a name. */
interface Suite {
  name: string
  bars: readonly Bar[]
  works(command: string): Work[] | Promise<Work[]>
  versions(wrk: string): Promise<Record<string, string>>
}

async function bench(suite: Suite): Promise<void> {
  const wrk = await ensureDebian('wrk')
  console.error('Building, packing and installing what is measured; later runs find it done.')
  const command = values.source ? sourceCommand : await ensureInstalledPlatform()
  const report: BenchReport = {
    schemaVersion: 1,
    suite: suite.name,
    startedAt: new Date().toISOString(),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    machine: readMachine(),
    versions: await suite.versions(wrk),
    rounds: Number(values.rounds ?? (values.quick ? 1 : 5)),
    durationS: Number(values.duration ?? (values.quick ? 1 : 3)),
    works: [],
  }
  console.log(formatOrigin(report))
  for (const work of (await suite.works(command)).filter(({ name }) => isChosen(values.only, name))) {
    const result = await compare(narrow(work), {
      wrk,
      rounds: report.rounds,
      durationS: report.durationS,
      warmUpS: values.quick ? 1 : 3,
      onProgress: (line) => console.error(line),
    })
    report.works.push(result)
    console.log(formatWork(result))
    if (values.json) await writeFile(values.json, JSON.stringify(report, null, 2) + '\n')
  }
  if (suite.bars.length > 0) console.log(formatVerdicts(judge(suite.bars, report.works), report.works))
  if (values.markdown) await writeFile(values.markdown, formatReport([report], suite.bars))
}

/** Programs that run to their end: no server, no load. */
async function benchCheck(): Promise<void> {
  const checkers = await ensureCheckers()
  const command = values.source ? sourceCommand : await ensureInstalledPlatform()
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
  const results: ProgramResult[] = []
  for (const work of await checkWorks(command, checkers)) {
    if (!isChosen(values.only, work.name)) continue
    const programs = work.programs.filter(({ name }) => isChosen(values.servers, name))
    results.push(
      await comparePrograms({ ...work, programs }, { rounds, onProgress: (line) => console.error(line) }),
    )
    if (values.json) await writeFile(values.json, JSON.stringify(results, null, 2) + '\n')
  }
  const machine = { ...readMachine(), ...(await readCheckerVersions(checkers)) }
  const facts = Object.entries(machine).map(([name, value]) => `${name} ${value}`)
  const text = [facts.join(', '), ...results.map(formatProgramWork), judgeChecks(results)].join('\n\n')
  console.log(text)
  if (values.markdown) await writeFile(values.markdown, text + '\n')
}

async function printReports(): Promise<void> {
  const reports = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as BenchReport),
  )
  const text = formatReport(reports, reports.some(({ suite }) => suite === 'edge') ? edgeBars : gatewayBars)
  console.log(text)
  if (values.markdown) await writeFile(values.markdown, text)
}

function narrow(work: Work): Work {
  const chosen = values.connections ?? (values.quick ? '32' : undefined)
  return {
    ...work,
    contenders: work.contenders.filter(({ name }) => isChosen(values.servers, name)),
    connections: work.connections.filter((count) => isChosen(chosen, String(count))),
  }
}

function isChosen(list: string | undefined, name: string): boolean {
  return list === undefined || list.split(',').includes(name)
}
