import { defineRule } from '@havn/checklist'
import { checkFiles } from '@havn/checklist/testing'
import { platformConfigSchema } from '@havn/model'
import { expect, test } from 'vitest'
import { edgeDuties, type EdgeDuties } from '../src/edge-duties.ts'

const TLS = { local: true, redirectFrom: '127.0.0.1:8080' }

/** The duties that the edge has by a configuration: the names of those that are true. */
async function dutiesOf(config: object | null): Promise<string[]> {
  let duties: EdgeDuties | null = null
  const rule = defineRule({
    id: 'sample.see',
    title: 'See',
    severity: 'info',
    confidence: 'certain',
    hint: 'None.',
    references: [],
    docs: { what: 'w', why: 'y', bad: 'b', good: 'g', language: 'text' },
    needs: { edgeDuties },
    check: ({ facts }) => void (duties = facts.edgeDuties),
  })
  const options = config === null ? {} : { platformConfig: platformConfigSchema.parse(config) }
  const { rules } = await checkFiles([rule], {}, options)
  expect(rules[0]!.outcome, String(rules[0]!.reason)).not.toBe('errored')
  return Object.entries(duties!).flatMap(([name, isOn]) => (isOn ? [name] : []))
}

const BASIC = ['sendsNosniff', 'sendsFrameOptions', 'sendsReferrerPolicy']

test.each([
  ['no configuration', null, []],
  ['one that says nothing of the edge', {}, []],
  ['an edge without a profile', { edge: {} }, []],
  ['the basic profile', { edge: { security: { profile: 'basic' } } }, BASIC],
  [
    'a basic profile over TLS: HSTS is asked for by name',
    { tls: TLS, edge: { security: { profile: 'basic' } } },
    ['redirectsToHttps', ...BASIC],
  ],
  [
    'the strict profile without TLS: browsers take no HSTS over http',
    { edge: { security: { profile: 'strict' } } },
    [...BASIC, 'sendsContentSecurityPolicy'],
  ],
  [
    'the strict profile over TLS',
    { tls: TLS, edge: { security: { profile: 'strict' } } },
    ['redirectsToHttps', 'sendsHsts', ...BASIC, 'sendsContentSecurityPolicy'],
  ],
  ['TLS without a port of plain HTTP', { tls: { local: true } }, []],
  [
    'headers by name, without a profile',
    { tls: TLS, edge: { security: { hsts: {}, frameOptions: 'DENY' } } },
    ['redirectsToHttps', 'sendsHsts', 'sendsFrameOptions'],
  ],
  [
    'what the strict profile has, left out by name',
    {
      tls: TLS,
      edge: {
        security: { profile: 'strict', hsts: false, contentSecurityPolicy: false, frameOptions: false },
      },
    },
    ['redirectsToHttps', 'sendsNosniff', 'sendsReferrerPolicy'],
  ],
  [
    'HSTS of no time, by which browsers forget it',
    { tls: TLS, edge: { security: { profile: 'strict', hsts: { maxAgeS: 0 } } } },
    ['redirectsToHttps', ...BASIC, 'sendsContentSecurityPolicy'],
  ],
])('%s', async (_, config, duties) => {
  expect(await dutiesOf(config)).toEqual(duties)
})
