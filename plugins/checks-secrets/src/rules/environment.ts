import { defineRule, gitFiles } from '@havn/checklist'
import type { SourcePlace } from '@havn/plugin-api'
import { isEnvironmentFile, isEnvironmentTemplate, isExample } from '../paths.ts'
import { secretScan } from '../scan/scan-fact.ts'

const docs = { language: 'sh' }
const references = ['CWE-538', 'https://12factor.net/config']

export const envTracked = defineRule({
  id: 'secrets.env-tracked',
  title: 'A file of variables is in git',
  severity: 'error',
  confidence: 'likely',
  hint: 'git rm --cached it, ignore it, and make new secrets: these stay in the history. Track a .env.example with the names.',
  references,
  docs: {
    ...docs,
    what: 'Finds `.env` files that git tracks; a note where no value in them looks like a secret. Templates, such as `.env.example`, are meant to be there.',
    why: 'Whoever has a clone has the secrets, now and in each old commit.',
    bad: 'git add .env',
    good: 'echo ".env" >> .gitignore && git add .env.example',
  },
  needs: { gitFiles, secretScan },
  check({ facts, report }) {
    for (const file of [...facts.gitFiles.tracked].filter(isOwnFile).sort()) {
      const found = facts.secretScan.hits.filter(
        ({ kind, place }) => kind === 'variable' && place.file === file,
      )
      const isHarmless = found.length === 0 || isExample(file)
      report({
        message:
          found.length === 0
            ? 'Git tracks it. No value in it looks like a secret, but the next one may.'
            : `Git tracks it, with ${found.map(({ name }) => name).join(', ')}.`,
        place: found[0]?.place ?? startOf(file),
        isSensitive: true,
        ...(isHarmless && { severity: 'info' as const }),
      })
    }
  },
})

export const envNotIgnored = defineRule({
  id: 'secrets.env-not-ignored',
  title: 'A file of variables is not ignored by git',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Write its name into .gitignore.',
  references,
  docs: {
    ...docs,
    what: 'Finds `.env` files in the folder that git neither tracks nor ignores.',
    why: 'The next `git add .` takes it in, and the next push makes it known.',
    bad: 'echo "SECRET_KEY=..." > .env',
    good: 'echo ".env" >> .gitignore',
  },
  needs: { gitFiles },
  check({ facts, report }) {
    for (const file of [...facts.gitFiles.untracked].filter(isOwnFile).sort())
      report({ message: 'Git does not ignore it.', place: startOf(file), isSensitive: true })
  },
})

function isOwnFile(file: string): boolean {
  return isEnvironmentFile(file) && !isEnvironmentTemplate(file)
}

function startOf(file: string): SourcePlace {
  return { file, line: 1, column: 1, endLine: 1, endColumn: 1 }
}
