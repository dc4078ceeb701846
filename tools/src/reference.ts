import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { configJsonSchema } from '@havn/model'
import { formatCheckReference, readRules } from './check-reference.ts'
import { formatErrorReference, readDeclaredErrors } from './error-reference.ts'

/** Writes the parts of the docs and schemas that come from the sources. */
const root = resolve(import.meta.dirname, '../..')
writeFileSync(resolve(root, 'docs/reference/errors.md'), formatErrorReference(readDeclaredErrors()))
writeFileSync(
  resolve(root, 'packages/platform/schema/platform.config.schema.json'),
  JSON.stringify(configJsonSchema(), null, 2) + '\n',
)
const checks = resolve(root, 'docs/reference/checks')
rmSync(checks, { recursive: true, force: true })
mkdirSync(checks)
for (const [name, text] of formatCheckReference(await readRules())) writeFileSync(resolve(checks, name), text)
