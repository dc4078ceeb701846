import { followFile } from './follow-file.ts'

/** Prints a growing file until SIGTERM, then what is left of it, and removes it. */
const [file] = process.argv.slice(2)
if (file === undefined) throw new TypeError('the file to print is missing')

const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())
process.once('SIGINT', () => stopping.abort())
await followFile({ file, output: process.stdout, signal: stopping.signal })
