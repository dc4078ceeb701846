#!/usr/bin/env node
// This file alone must parse on old Node versions: it says what is needed instead of failing on syntax.
import { existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

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
const isSource = existsSync(source)
if (isSource) {
  // What was stripped of its types is kept between runs, for the processes and threads below as well: it halves the
  // time to start and saves the memory of the stripper. Built JavaScript starts as fast without, in less memory.
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'havn', 'compiled')
  process.env.NODE_COMPILE_CACHE ||= cache
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
}
const { main } = await import(isSource ? source : built)
process.exitCode = await main(process.argv.slice(2))
