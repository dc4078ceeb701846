import { defineRule } from '@havn/checklist'
import { isExample } from '../paths.ts'
import { secretScan } from '../scan/scan-fact.ts'
import { reportHits } from './report-hits.ts'

const why =
  'Whoever has a clone has it, now and in each old commit; so has everybody, once the repository is public by mistake.'
const hint =
  'Make a new one and end this one: it stays in the history. Keep the new one in the environment, or in a store of secrets.'
/** Examples are put together, so that this file is clean itself. */
const docs = { language: 'sh', why }

export const privateKey = defineRule({
  id: 'secrets.private-key',
  title: 'A private key is in the repository',
  severity: 'error',
  confidence: 'certain',
  hint,
  references: ['secretlint-rule-privatekey', 'CWE-321'],
  docs: {
    ...docs,
    what: 'Finds private keys of TLS, SSH, PGP, PuTTY and age that no passphrase protects.',
    bad: `-----BEGIN ${'PRIVATE'} KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1Fq0cZ8uWmVwY2kSx7Rz5Tn3LgHbQd4PjKyXoAeNvM\n-----END ${'PRIVATE'} KEY-----\n`,
    good: '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'private-key', report),
})

export const cloudKey = defineRule({
  id: 'secrets.cloud-key',
  title: 'A key of a cloud is in the repository',
  severity: 'error',
  confidence: 'likely',
  hint,
  references: ['secretlint-rule-aws', 'secretlint-rule-gcp', 'CWE-798'],
  docs: {
    ...docs,
    what: 'Finds keys of AWS, Google Cloud, Azure and DigitalOcean by their forms.',
    bad: `AWS_ACCESS_KEY_ID=${'AKIA'}Q3EGRIYV5J2LZ7TQ\n`,
    good: 'AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID}\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'cloud-key', report),
})

export const serviceToken = defineRule({
  id: 'secrets.service-token',
  title: 'A token of a service is in the repository',
  severity: 'error',
  confidence: 'likely',
  hint,
  references: [
    'secretlint-rule-github',
    'secretlint-rule-slack',
    'secretlint-rule-npm',
    'secretlint-rule-openai',
    'CWE-798',
  ],
  docs: {
    ...docs,
    what: 'Finds tokens of GitHub, GitLab, Slack, Stripe, SendGrid, npm, PyPI, OpenAI, Anthropic and others by their forms.',
    bad: `curl -H "Authorization: Bearer ghp${'_'}hT4kQz8vLw2XnBc7RyJm5PdSg9Ma4Ke3UoVi1Wq"\n`,
    good: 'curl -H "Authorization: Bearer $GITHUB_TOKEN"\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'service-token', report),
})

export const urlPassword = defineRule({
  id: 'secrets.url-password',
  title: 'A URL has a password in it',
  severity: 'error',
  confidence: 'likely',
  hint,
  references: ['secretlint-rule-database-connection-string', 'secretlint-rule-basicauth', 'CWE-798'],
  docs: {
    ...docs,
    what: 'Finds URLs of databases, queues and sites with a password, where the host is one that others reach: a name with a dot.',
    bad: `DATABASE_URL=postgres://shop:${'9vXq2LmZ'}@db.acme.com/shop\n`,
    good: 'DATABASE_URL=postgres://shop:${DB_PASSWORD}@db.acme.com/shop\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'url-password', report),
})

export const jwt = defineRule({
  id: 'secrets.jwt',
  title: 'A JSON Web Token is in the repository',
  severity: 'warn',
  confidence: 'likely',
  hint,
  references: ['CWE-798', 'https://www.rfc-editor.org/rfc/rfc7519'],
  docs: {
    ...docs,
    what: 'Finds signed tokens that have not ended yet. Tokens that are made for the browser, such as Supabase’s `anon`, are none.',
    bad: `TOKEN=${'eyJhbGciOiJIUzI1NiJ9'}.eyJzdWIiOiJvcHMiLCJyb2xlIjoiYWRtaW4ifQ.Zk3vQw8RtYb2NmXc5LpJh7Gd1Sf4Ae6UiOo9TgVyBnM\n`,
    good: 'TOKEN=$(cat /run/secrets/token)\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'jwt', report),
})

export const literal = defineRule({
  id: 'secrets.literal',
  title: 'A value looks like a secret',
  severity: 'warn',
  confidence: 'possible',
  hint: 'If it is one, make a new one and keep it in the environment; if it is none, waive this.',
  references: ['CWE-798', 'CWE-259'],
  docs: {
    ...docs,
    what: 'Finds values that chance seems to have written, under names that end in secret, token, password or API key. Tests, docs and examples are left out.',
    bad: `PAYMENT_SECRET="${'q8Rk2vZx7LmW4tYb9NcS'}"\n`,
    good: 'PAYMENT_SECRET="$PAYMENT_SECRET_FROM_STORE"\n',
  },
  needs: { secretScan },
  check({ facts, report }) {
    const { hits } = facts.secretScan
    const own = { ...facts.secretScan, hits: hits.filter(({ place }) => !isExample(place.file)) }
    reportHits(own, 'literal', report)
  },
})
