import type { Evidence } from '@havn/model'
import { readPythonProject, type Detection, type FrameworkOptions, type SourceTree } from '@havn/plugin-api'
import { listCandidates } from './list-candidates.ts'

const frameworks: Record<string, string> = {
  flask: 'Flask',
  fastapi: 'FastAPI',
  starlette: 'Starlette',
  quart: 'Quart',
  litestar: 'Litestar',
  falcon: 'Falcon',
  bottle: 'Bottle',
  pyramid: 'Pyramid',
  sanic: 'Sanic',
}
const importLine = new RegExp(`^[ \\t]*(?:from|import)[ \\t]+(${Object.keys(frameworks).join('|')})\\b`, 'm')
/** An app without a framework, by the arguments that PEP 3333 and ASGI name. */
const protocolCall =
  /^[ \t]*(?:async[ \t]+)?def[ \t]+\w+\(\s*(?:self\s*,\s*)?(?:environ\b[^,)]*,\s*start_response|scope\b[^,)]*,\s*receive\b[^,)]*,\s*send)/m

/**
 * Recognises a Python web app by its text: imports of frameworks, or functions that take what WSGI or ASGI give.
 * Which object is the app, and how it is called, is for the inspection, which has a Python to ask.
 */
export async function detectPython(tree: SourceTree, options: FrameworkOptions): Promise<Detection | null> {
  const { entry } = options
  if (entry !== undefined && /\.[cm]?[jt]sx?(#|$)/.test(entry)) return null
  const sign = await findSign(tree)
  if (!sign && entry === undefined) return null
  const named: Evidence[] =
    entry === undefined ? [] : [{ fact: 'entry', because: `the deployment names ${entry}` }]
  return {
    framework: { id: 'framework.python', name: sign?.framework ?? 'Python' },
    project: await readPythonProject(tree),
    evidence: [...named, ...(sign ? [sign.evidence] : [])],
    confidence: entry !== undefined ? 0.85 : (sign?.confidence ?? 0),
  }
}

interface Sign {
  framework: string
  evidence: Evidence
  confidence: number
}

async function findSign(tree: SourceTree): Promise<Sign | null> {
  let bare: Sign | null = null
  for (const file of await listCandidates(tree)) {
    const text = (await tree.read(file)) ?? ''
    const imported = importLine.exec(text)
    const framework = frameworks[imported?.[1] ?? '']
    if (imported && framework) {
      const because = `${file} imports ${framework}`
      return {
        framework,
        evidence: { fact: 'framework', because, file, line: lineOf(text, imported) },
        confidence: 0.8,
      }
    }
    const call = protocolCall.exec(text)
    if (!call || bare) continue
    const kind = call[0].includes('environ') ? 'WSGI' : 'ASGI'
    const because = `${file} has a function that takes ${kind}'s arguments`
    bare = {
      framework: kind,
      evidence: { fact: 'framework', because, file, line: lineOf(text, call) },
      confidence: 0.7,
    }
  }
  return bare
}

function lineOf(text: string, match: RegExpExecArray): number {
  const leading = /^\s*/.exec(match[0])?.[0].length ?? 0
  return text.slice(0, match.index + leading).split('\n').length
}
