import { defineRule } from '@havn/checklist'
import { dataFiles, type DataFile } from '../scan/data-files.ts'
import { isExample } from '../paths.ts'
import { secretScan } from '../scan/scan-fact.ts'
import { reportHits } from './report-hits.ts'

const hint =
  'Make a new one and end this one: it stays in the history. Take the file out of git, and ignore it.'

export const toolCredentials = defineRule({
  id: 'secrets.tool-credentials',
  title: 'A login of a tool is in the repository',
  severity: 'error',
  confidence: 'likely',
  hint: `${hint} Most tools take a variable in its place: _authToken=\${NPM_TOKEN}.`,
  references: ['secretlint-rule-npm', 'CWE-522'],
  docs: {
    language: 'ini',
    what: 'Finds logins in `.npmrc`, `.yarnrc.yml`, `pip.conf`, `.pypirc`, `.netrc`, `.pgpass`, `.git-credentials`, Docker’s `config.json`, and in URLs of dependencies.',
    why: 'Who can publish your packages or images can put code into your production.',
    bad: '//registry.npmjs.org/:_authToken=8f3c1a52-9b7d-4e60-a1c4-5d2e7f9b0c36\n',
    good: '//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'tool-credentials', report),
})

export const kubernetesSecret = defineRule({
  id: 'secrets.kubernetes-secret',
  title: 'A Kubernetes Secret is in the repository with its value',
  severity: 'error',
  confidence: 'likely',
  hint: 'Make a new value, and keep it out of git: an external store (External Secrets), or encrypted (SealedSecret, sops).',
  references: ['CWE-312', 'https://kubernetes.io/docs/concepts/security/secrets-good-practices/'],
  docs: {
    language: 'yaml',
    what: 'Finds manifests of kind `Secret` with values. Placeholders, templates and what sops encrypted are none.',
    why: 'base64 hides nothing: whoever has a clone has the secret.',
    bad: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\nstringData:\n  password: 9vXq2LmZ\n',
    good: 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\nstringData:\n  password: ${DB_PASSWORD}\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) =>
    reportHits(facts.secretScan, 'kubernetes-secret', report, (name) => `The value of ${name} is here.`),
})

export const kubeconfig = defineRule({
  id: 'secrets.kubeconfig',
  title: 'Access to a cluster is in the repository',
  severity: 'error',
  confidence: 'certain',
  hint,
  references: ['CWE-522'],
  docs: {
    language: 'yaml',
    what: 'Finds kubeconfigs with a client key, a token or a password.',
    why: 'It opens the cluster to whoever has a clone, often with all rights.',
    bad: 'apiVersion: v1\nkind: Config\nusers:\n  - name: admin\n    user:\n      token: k8Zq2LmXw4tYb9NcS7RvJd5P\n',
    good: 'apiVersion: v1\nkind: Config\nusers:\n  - name: admin\n    user:\n      exec: { command: cloud-login }\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'kubeconfig', report),
})

export const terraformState = defineRule({
  id: 'secrets.terraform-state',
  title: 'A state of Terraform is in the repository',
  severity: 'error',
  confidence: 'certain',
  hint: 'Keep it in a remote backend with encryption; take it out of git, ignore what ends in .tfstate, and make new secrets.',
  references: ['CWE-312', 'https://developer.hashicorp.com/terraform/language/state/sensitive-data'],
  docs: {
    language: 'json',
    what: 'Finds `*.tfstate` with resources.',
    why: 'A state has the values of all its resources in plain text: passwords of databases, private keys.',
    bad: '{ "version": 4, "terraform_version": "1.9.0", "resources": [{ "type": "aws_db_instance" }] }\n',
    good: '{ "version": 4, "terraform_version": "1.9.0", "resources": [] }\n',
  },
  needs: { secretScan },
  check: ({ facts, report }) => reportHits(facts.secretScan, 'terraform-state', report),
})

const GIT = { language: 'sh' }

export const keystore = defineRule({
  id: 'secrets.keystore',
  title: 'A keystore is in git',
  severity: 'warn',
  confidence: 'likely',
  hint,
  references: ['CWE-321'],
  docs: {
    ...GIT,
    what: 'Finds `*.p12`, `*.pfx`, `*.jks` and `*.keystore` that git tracks.',
    why: 'It holds private keys behind a password that can be guessed for as long as one likes.',
    bad: 'git add signing.p12',
    good: 'echo "*.p12" >> .gitignore',
  },
  needs: { dataFiles },
  check: ({ facts, report }) => reportFiles(facts.dataFiles, 'keystore', 'A keystore is in git.', report),
})

export const databaseTracked = defineRule({
  id: 'secrets.database-tracked',
  title: 'A database is in git',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take it out of git and ignore it; make new passwords where it held real ones.',
  references: ['CWE-538'],
  docs: {
    ...GIT,
    what: 'Finds SQLite databases that git tracks.',
    why: 'Sessions, password hashes and what users wrote are in it. It is also what a deployment would start from, each time.',
    bad: 'git add db.sqlite3',
    good: 'echo "db.sqlite3" >> .gitignore',
  },
  needs: { dataFiles },
  check: ({ facts, report }) =>
    reportFiles(facts.dataFiles, 'database', 'A SQLite database is in git.', report),
})

export const dumpTracked = defineRule({
  id: 'secrets.dump-tracked',
  title: 'A dump of a database is in git',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Take it out of git; what a development database needs can be fixtures.',
  references: ['CWE-538'],
  docs: {
    ...GIT,
    what: 'Finds dumps of PostgreSQL, MySQL and MariaDB that git tracks.',
    why: 'Dumps are made of real data: personal data of users, hashes of passwords, tokens.',
    bad: 'pg_dump shop > dump.sql && git add dump.sql',
    good: 'echo "*.sql" >> .gitignore',
  },
  needs: { dataFiles },
  check: ({ facts, report }) =>
    reportFiles(facts.dataFiles, 'dump', 'A dump of a database is in git.', report),
})

function reportFiles(
  files: readonly DataFile[],
  kind: DataFile['kind'],
  message: string,
  report: Parameters<typeof reportHits>[2],
): void {
  for (const { file, kind: own } of files)
    if (own === kind)
      report({
        message,
        place: { file, line: 1, column: 1, endLine: 1, endColumn: 1 },
        isSensitive: true,
        ...(isExample(file) && { severity: 'info' as const }),
      })
}

export const scanIncomplete = defineRule({
  id: 'secrets.scan-incomplete',
  title: 'Not all files were looked at',
  severity: 'info',
  confidence: 'certain',
  hint: 'Look at them yourself, or take them out of the repository: data of this size is better kept elsewhere.',
  references: [],
  docs: {
    ...GIT,
    what: 'Finds files of text that are larger than 1 MB or cannot be read, and projects with more files than can be read in time.',
    why: 'What was not read cannot pass.',
    bad: 'git add export.json  # 50 MB',
    good: 'echo "export.json" >> .gitignore',
  },
  needs: { secretScan },
  check({ facts, report }) {
    const { left, late } = facts.secretScan
    for (const { file, reason } of left)
      report({
        message: `It was not read: ${reason}.`,
        place: { file, line: 1, column: 1, endLine: 1, endColumn: 1 },
        isSensitive: true,
      })
    if (late > 0) report({ message: `${late} files were still to be read when the time was over.` })
  },
})
