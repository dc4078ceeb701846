import { answerOf, defineRule, siteAsker, siteParsing, siteSlow } from '@havn/checklist'
import type { ParsingId, SiteAsker, SiteParsing, SiteProbe } from '@havn/checklist'
import type { FindingReport } from '@havn/plugin-api'
import { about, pageOf } from '../page.ts'

const docs = { language: 'text' }
const RFC = 'https://www.rfc-editor.org/rfc/rfc9112'

/**
 * Whether a message was taken for a request like any other: it got the page's own status. Where that says nothing, since
 * the page itself is refused, nothing is found.
 */
function isTaken(probe: SiteProbe, { home }: SiteAsker): boolean {
  const answer = answerOf(probe)
  const page = answerOf(home)!
  return answer !== null && page.status < 400 && answer.status === page.status
}

function reportTaken(
  facts: { siteParsing: SiteParsing; siteAsker: SiteAsker },
  ids: readonly ParsingId[],
  report: (finding: FindingReport) => void,
): void {
  const taken = facts.siteParsing.probes.filter(
    ({ id, probe }) => ids.includes(id) && isTaken(probe, facts.siteAsker),
  )
  const [first] = taken
  if (first !== undefined) {
    const { status } = pageOf(facts.siteAsker)
    report(about(first.probe, `It answers ${status} to ${taken.map(({ title }) => title).join('; to ')}.`))
  }
}

const hint =
  'Put a proxy in front that refuses such messages with 400: the edge does; nginx ≥ 1.21.1, HAProxy ≥ 2.x.'
const why =
  'Where a proxy and the server behind it disagree on where a message ends, an attacker’s bytes become the beginning of somebody else’s request.'

export const smugglingLengths = defineRule({
  id: 'http.smuggling-lengths',
  title: 'A message with two lengths is taken',
  severity: 'warn',
  confidence: 'likely',
  hint,
  references: ['WSTG-INPV-15', 'CWE-444', `${RFC}#section-6.3`],
  docs: {
    ...docs,
    why,
    what: 'Sends `Content-Length` beside `Transfer-Encoding`, and `Content-Length` twice, in a form that leaves nothing behind however it is read; finds that it is answered like any other.',
    bad: 'Content-Length: 5\nTransfer-Encoding: chunked\n-> 200 OK',
    good: 'Content-Length: 5\nTransfer-Encoding: chunked\n-> 400 Bad Request',
  },
  needs: { siteParsing, siteAsker },
  check: ({ facts, report }) => reportTaken(facts, ['both-lengths', 'length-twice', 'length-sign'], report),
})

export const smugglingEncoding = defineRule({
  id: 'http.smuggling-encoding',
  title: 'A disguised Transfer-Encoding is taken',
  severity: 'warn',
  confidence: 'likely',
  hint,
  references: ['WSTG-INPV-15', 'CWE-444', `${RFC}#section-6.1`],
  docs: {
    ...docs,
    why,
    what: 'Sends `Transfer-Encoding` with a space before the colon, a control character, or a coding that nobody knows; finds that it is answered like any other.',
    bad: 'Transfer-Encoding : chunked\n-> 200 OK',
    good: 'Transfer-Encoding : chunked\n-> 400 Bad Request',
  },
  needs: { siteParsing, siteAsker },
  check: ({ facts, report }) =>
    reportTaken(facts, ['encoding-space', 'encoding-unknown', 'encoding-control'], report),
})

export const headerControls = defineRule({
  id: 'http.header-controls',
  title: 'Control characters in headers are taken',
  severity: 'warn',
  confidence: 'likely',
  hint,
  references: ['WSTG-INPV-15', 'CWE-113', 'https://www.rfc-editor.org/rfc/rfc9110#section-5.5'],
  docs: {
    ...docs,
    why: 'Another program on the way ends the header there: what follows is a header of the attacker’s.',
    what: 'Sends a header with a NUL, and one with a CR that no LF follows; finds that it is answered like any other.',
    bad: 'X-Check: a\\0b\n-> 200 OK',
    good: 'X-Check: a\\0b\n-> 400 Bad Request',
  },
  needs: { siteParsing, siteAsker },
  check: ({ facts, report }) => reportTaken(facts, ['header-nul', 'bare-return'], report),
})

export const hostAmbiguous = defineRule({
  id: 'http.host-ambiguous',
  title: 'Two Host headers, or none, are taken',
  severity: 'warn',
  confidence: 'likely',
  hint,
  references: ['WSTG-INPV-17', `${RFC}#section-3.2`],
  docs: {
    ...docs,
    why: 'One program on the way goes by the first, another by the last: checks are made on one host, and the answer is another’s.',
    what: 'Sends HTTP/1.1 with two `Host` headers, and without any; both must be answered with 400.',
    bad: 'Host: example.com\nHost: evil.example\n-> 200 OK',
    good: 'Host: example.com\nHost: evil.example\n-> 400 Bad Request',
  },
  needs: { siteParsing, siteAsker },
  check({ facts, report }) {
    reportTaken(facts, ['host-twice'], report)
    const { hostMissing } = facts.siteParsing
    if (isTaken(hostMissing, facts.siteAsker)) report(about(hostMissing, 'It is answered without Host.'))
  },
})

export const bareLineFeed = defineRule({
  id: 'http.bare-line-feed',
  title: 'Lines may end in LF alone',
  severity: 'info',
  confidence: 'likely',
  hint,
  references: [`${RFC}#section-2.2`],
  docs: {
    ...docs,
    why: 'RFC 9112 lets a server do so; it is one more thing on which two programs can disagree.',
    what: 'Sends a request whose lines end in LF without CR, and finds that it is answered like any other.',
    bad: 'GET / HTTP/1.1\\nHost: example.com\\n\\n -> 200 OK',
    good: 'GET / HTTP/1.1\\nHost: example.com\\n\\n -> 400 Bad Request',
  },
  needs: { siteParsing, siteAsker },
  check({ facts, report }) {
    const { lineFeeds } = facts.siteParsing
    if (isTaken(lineFeeds, facts.siteAsker)) report(about(lineFeeds, 'It is answered.'))
  },
})

export const headerUnbounded = defineRule({
  id: 'http.header-unbounded',
  title: 'Headers are not bounded',
  severity: 'info',
  confidence: 'certain',
  hint: 'Bound them to 16 KB or so, and answer 431 beyond.',
  references: ['https://www.rfc-editor.org/rfc/rfc6585#section-5'],
  docs: {
    ...docs,
    why: 'Each connection may hold that much memory before it has said anything; an error of the server says that nobody thought of it.',
    what: 'Sends a header of 64 KB, and finds that it is taken, or answered with a status of 500 or above.',
    bad: 'X-Check: aaaa… (64 KB) -> 200 OK',
    good: 'X-Check: aaaa… (64 KB) -> 431 Request Header Fields Too Large',
  },
  needs: { siteParsing, siteAsker },
  check({ facts, report }) {
    const { oversized } = facts.siteParsing
    const status = answerOf(oversized)?.status ?? 0
    if (isTaken(oversized, facts.siteAsker) || (status >= 500 && pageOf(facts.siteAsker).status < 500))
      report(about(oversized, `It answers ${status} to a header of 64 KB.`))
  },
})

export const slowHeaders = defineRule({
  id: 'http.slow-headers',
  title: 'Clients may take their time with the head of a request',
  severity: 'info',
  confidence: 'possible',
  hint: 'End such connections after 10 seconds or so: timeouts.headers of the edge, client_header_timeout 10s of nginx; or bound the connections of each client.',
  references: ['CVE-2007-6750', 'CWE-400'],
  docs: {
    ...docs,
    what: 'Sends the head of a request byte by byte for 15 seconds, on one connection, and finds it still open in the end.',
    why: 'One machine with some thousand such connections keeps everybody else out (Slowloris), where each of them holds a worker.',
    bad: 'client_header_timeout 60s;',
    good: 'client_header_timeout 10s;',
  },
  needs: { siteSlow },
  check({ facts, report }) {
    const { boreMs, triedMs, origin } = facts.siteSlow
    if (boreMs === null)
      report({ message: `It was still open after ${triedMs / 1000} seconds.`, resource: origin })
  },
})
