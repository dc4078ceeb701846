import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { defineFact, defineRule, SourceText } from '../src/index.ts'

/** How often the fact was collected. */
export const collected = { times: 0 }

export const notes = defineFact<SourceText>({
  id: 'notes',
  title: 'Notes',
  async collect({ tree }) {
    collected.times++
    const text = await tree.read('notes.txt')
    return text === null ? null : new SourceText('notes.txt', text)
  },
})

const brokenFact = defineFact<string>({
  id: 'broken',
  title: 'Broken facts',
  collect: () => Promise.reject(new Error('The disk is gone')),
})

const docs = {
  what: 'Finds what is still to do.',
  why: 'Somebody meant to come back.',
  bad: 'TODO: mend\n',
  good: 'mended\n',
  language: 'text',
}

export const todo = defineRule({
  id: 'sample.todo',
  title: 'Something is still to do',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Do it.',
  references: ['XX1001', 'https://example.org/todo'],
  docs,
  options: z.strictObject({ word: z.string().min(2).default('TODO') }),
  needs: { notes },
  check({ facts, options, report }) {
    const { text, file } = facts.notes
    for (let at = text.indexOf(options.word); at !== -1; at = text.indexOf(options.word, at + 1)) {
      const end = at + options.word.length
      report({
        message: `It says ${options.word}.`,
        place: facts.notes.placeOf(at, end),
        fixes: [{ title: 'Call it done', safety: 'safe', edits: [{ file, start: at, end, text: 'DONE' }] }],
      })
    }
  },
})

export const shouting = defineRule({
  ...todo,
  id: 'sample.shouting',
  title: 'A line shouts',
  severity: 'error',
  options: undefined,
  hint: 'Say it calmly.\nOr do not say it.',
  check({ facts, report }) {
    const { text } = facts.notes
    text.split('\n').forEach((line, at) => {
      if (line.endsWith('!'))
        report({
          message: 'It ends in "!".',
          place: facts.notes.placeOfLine(at + 1),
          resource: 'notes',
          related: [{ message: 'the notes begin here', place: facts.notes.placeOfLine(1) }],
        })
    })
  },
})

export const guess = defineRule({
  ...todo,
  id: 'sample.guess',
  title: 'It may be unfinished',
  severity: 'info',
  confidence: 'possible',
  options: undefined,
  needs: {},
  check: ({ report }) => report({ message: 'Who knows?' }),
})

export const crash = defineRule({
  ...guess,
  id: 'sample.crash',
  confidence: 'certain',
  check() {
    throw new TypeError('x is not a function')
  },
})

export const slow = defineRule({
  ...crash,
  id: 'sample.slow',
  check: ({ signal }) => sleep(60_000, undefined, { signal }),
})

/** As one that does not listen to its signal. */
export const deaf = defineRule({ ...crash, id: 'sample.deaf', check: () => new Promise<void>(() => {}) })

export const broken = defineRule({ ...crash, id: 'sample.broken', needs: { brokenFact }, check() {} })
