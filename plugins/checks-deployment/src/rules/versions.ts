import {
  defineFact,
  defineRule,
  dockerfiles,
  instructionsOfStage,
  isDevelopmentName,
  SourceText,
} from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'

interface WantedVersion {
  language: 'python' | 'node'
  /** `>=3.12`, `3.12.4`, `22`. */
  text: string
  place: SourcePlace
}

/** Versions of Python and Node that the project says it wants. */
const wantedVersions = defineFact<readonly WantedVersion[]>({
  id: 'wanted-versions',
  title: 'Versions of languages that the project wants',
  async collect({ tree }) {
    const found: WantedVersion[] = []
    const read = async (file: string, language: WantedVersion['language'], pattern: RegExp) => {
      const text = await tree.read(file)
      const match = text === null ? null : pattern.exec(text)
      if (match === null) return
      const start = match.index + match[0].indexOf(match[1]!)
      found.push({
        language,
        text: match[1]!,
        place: new SourceText(file, text!).placeOf(start, start + match[1]!.length),
      })
    }
    await read('.python-version', 'python', /^[ \t]*(\d+\.\d+(?:\.\d+)?)[ \t]*$/m)
    await read('pyproject.toml', 'python', /^requires-python[ \t]*=[ \t]*["']([^"'\n]+)["']/m)
    await read('.nvmrc', 'node', /^[ \t]*v?(\d+)(?:\.\d+)*[ \t]*$/m)
    await read('package.json', 'node', /"engines"\s*:\s*\{[^{}]*?"node"\s*:\s*"([^"]+)"/)
    return found.length > 0 ? found : null
  },
})

export const versionDiffers = defineRule({
  id: 'deployment.language-version-differs',
  title: 'The image has another version of the language than the project wants',
  severity: 'error',
  confidence: 'certain',
  hint: 'Take an image of the version that the project is made and tested with.',
  references: ['https://packaging.python.org/en/latest/specifications/pyproject-toml/#requires-python'],
  docs: {
    what: 'Compares the official image of Python or Node with .python-version, `requires-python`, .nvmrc and `engines`.',
    why: 'What was tested is not what runs; installers refuse, or syntax fails when the app starts.',
    bad: '# .python-version: 3.13\nFROM python:3.11-slim\nCMD ["gunicorn", "shop.wsgi"]\n',
    good: '# .python-version: 3.13\nFROM python:3.13-slim\nCMD ["gunicorn", "shop.wsgi"]\n',
    language: 'dockerfile',
  },
  needs: { dockerfiles, wantedVersions },
  check({ facts, report }) {
    for (const { source, final } of facts.dockerfiles) {
      // Images below the root's folder have files of their own.
      if (final === null || isDevelopmentName(source.file) || instructionsOfStage(final).length === 0)
        continue
      let base = final
      while (base.base !== null) base = base.base
      const match = /^(?:docker\.io\/)?(?:library\/)?(python|node):(\d+)(?:\.(\d+))?/.exec(base.image)
      if (match === null) continue
      const [, language, major, minor] = match
      for (const wanted of facts.wantedVersions) {
        if (
          wanted.language !== language ||
          !differs(wanted, Number(major), minor === undefined ? null : Number(minor))
        )
          continue
        report({
          message: `The image has ${language} ${major}${minor === undefined ? '' : `.${minor}`}, the project wants ${wanted.text}.`,
          place: base.from.place,
          related: [{ message: 'what it wants', place: wanted.place }],
        })
        break
      }
    }
  },
})

/** Whether a version is outside of what is wanted: bounds, and single versions; all else is taken to fit. */
function differs({ text, language }: WantedVersion, major: number, minor: number | null): boolean {
  const own = language === 'python' ? major * 1_000 + (minor ?? 0) : major
  if (language === 'python' && minor === null) return false
  if (/\|\||[xX*]/.test(text)) return false
  return text.split(/[,\s]+(?=[<>=~^!\d])/).some((part) => {
    const match = /^\s*(>=|<=|<|>|==|=|~=|\^|~)?\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(part)
    if (match === null) return false
    const [, operator = '=', first, second, third] = match
    const bound = language === 'python' ? Number(first) * 1_000 + Number(second ?? 0) : Number(first)
    if (operator === '>=') return own < bound
    if (operator === '<')
      return language === 'node'
        ? own > bound || (own === bound && second === undefined)
        : own > bound || (own === bound && (third === undefined || third === '0'))
    if (operator === '<=') return own > bound
    if (operator === '>') return own < bound
    // `~=3.11` goes up to 4.
    if (operator === '~=') return third === undefined ? own < bound || major !== Number(first) : own !== bound
    if (operator === '^')
      return language === 'python' ? own < bound || major !== Number(first) : own !== bound
    return language === 'python' && second === undefined ? major !== Number(first) : own !== bound
  })
}
