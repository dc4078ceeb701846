import { describe, expect, test } from 'vitest'
import { askRaw, closing } from '../../gateway/test/fault-setup.ts'
import { forms, startForm } from './edge-forms.ts'

describe.each(forms)('the edge (%s)', (form) => {
  test('answers in the place of an error of the app, by every lane', async () => {
    const { port } = await startForm(form, { errors: { intercept: [500] } })
    const ask = (line: string, more = '') => askRaw(port, `${line} HTTP/1.1\r\n${closing}${more}\r\n`)
    for (const answer of [await ask('GET /sorry'), await ask('POST /sorry', 'Content-Length: 0\r\n')]) {
      expect(answer).toMatch(
        /^HTTP\/1\.1 500 [^]*\r\nx-kept: yes\r\n[^]*\r\n\r\n500 Internal Server Error\n$/i,
      )
      expect(answer).not.toMatch(/etag|internals/i)
    }
    expect(await ask('HEAD /sorry')).toMatch(/^HTTP\/1\.1 500 [^]*\r\n\r\n$/)
    expect(await ask('GET /sorry', 'Accept: text/html\r\n')).toMatch(/<!doctype html>/i)
    expect(await ask('GET /')).toMatch(/hello$/)
  })

  test('leaves it as it is unasked', async () => {
    const { port } = await startForm(form, {})
    expect(await askRaw(port, `GET /sorry HTTP/1.1\r\n${closing}\r\n`)).toMatch(/etag[^]*internals/i)
  })
})
