#!/usr/bin/env node
// This file alone must parse on old Node versions: it says what is needed instead of failing on syntax.
import { existsSync } from 'node:fs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `error HAVN_ERR_NODE_TOO_OLD: This is Node ${process.versions.node}; Havn needs 22.19 or newer.\n` +
      '  fix  Install Node 24 LTS, or run it through npm in a project that has the npm package "node" (24).',
  )
  process.exit(2)
}
const source = new URL('../src/main.ts', import.meta.url)
const built = new URL('../src/main.js', import.meta.url)
const { main } = await import(existsSync(source) ? source : built)
process.exitCode = await main(process.argv.slice(2))
