import { writeFile } from 'node:fs/promises'
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import { compare, formatComparison, type ComparisonResult, type Work } from './bench/comparison.ts'
import { gatewayWorks } from './bench/gateway.ts'
import { ensureDebian } from './parts/index.ts'

/**
 * `npm run bench -- NAME [--only work,work] [--servers havn,granian] [--connections 32] [--rounds 5] [--duration 3]
 * [--json file]`: ours and its peers in turn, on this machine, over loopback. Quiet machines only.
 */
const suites: Record<string, () => Promise<Work[]>> = { gateway: gatewayWorks }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    servers: { type: 'string' },
    connections: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    duration: { type: 'string', default: '3' },
    port: { type: 'string', default: '18080' },
    json: { type: 'string' },
  },
})
const [name = ''] = positionals
const suite = suites[name]
if (!suite) {
  console.error(`There is no benchmark "${name}"; there are ${Object.keys(suites).join(', ')}.`)
  process.exit(2)
}

const wrk = await ensureDebian('wrk')
const [cpu] = cpus()
console.log(`${cpus().length} × ${cpu?.model}, Linux ${release()}, Node ${process.versions.node}\n`)
const results: ComparisonResult[] = []
for (const work of (await suite()).filter((each) => isChosen(values.only, each.name))) {
  const chosen = {
    ...work,
    contenders: work.contenders.filter((each) => isChosen(values.servers, each.name)),
    connections: values.connections ? values.connections.split(',').map(Number) : work.connections,
  }
  const result = await compare(chosen, {
    wrk,
    rounds: Number(values.rounds),
    durationS: Number(values.duration),
    port: Number(values.port),
    onProgress: (line) => console.error(line),
  })
  results.push(result)
  console.log(formatComparison(result))
}
if (values.json) await writeFile(values.json, JSON.stringify(results, null, 2) + '\n')

function isChosen(list: string | undefined, name: string): boolean {
  return list === undefined || list.split(',').includes(name)
}
