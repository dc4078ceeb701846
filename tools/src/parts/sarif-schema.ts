import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureGoModule } from './go.ts'
import { partMissing } from './missing.ts'

const MODULE = 'github.com/owenrumney/go-sarif/v3@v3.3.1'
const FILE = 'pkg/report/v210/sarif/schema.go'

/** The JSON Schema of SARIF 2.1.0 (errata 01), as a Go module carries it. */
export async function ensureSarifSchema(): Promise<object> {
  const source = await readFile(join(await ensureGoModule(MODULE), FILE), 'utf8')
  const [, text] = /^const schema = `([^`]+)`/m.exec(source) ?? []
  if (text === undefined) throw partMissing('the schema of SARIF', `${FILE} of ${MODULE} does not hold it`)
  return JSON.parse(text) as object
}
