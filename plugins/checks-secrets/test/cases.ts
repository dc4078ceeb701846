import type { RuleCases } from '@havn/checklist/testing'
import { makeRepository } from './repository.ts'

/** Put together here, so that none of it is taken for one of ours. */
export const secrets = {
  privateKey: [
    `-----BEGIN RSA ${'PRIVATE'} KEY-----`,
    'MIIEowIBAAKCAQEAx7Zq2LmXw4tYb9NcS7RvJd5PgHk3ToUfEi8VnBsCa1Wy',
    'Q6zLr0pMxKjDhGt7uIeOw2Yb5NcVq9Sf4Ra3PmXl8TkJd6HgZv1QyWbEnCoU',
    `-----END RSA ${'PRIVATE'} KEY-----`,
  ].join('\n'),
  aws: 'AKIA' + 'Q3EGRIYV5J2LZ7TQ',
  github: 'ghp_' + 'hT4kQz8vLw2XnBc7RyJm5PdSg9Ma4Ke3UoVi1Wq',
  url: 'postgres://shop:' + '9vXq2LmZ@db.acme.com/shop',
  jwt: 'eyJhbGciOiJIUzI1NiJ9.' + 'eyJzdWIiOiJvcHMifQ.Zk3vQw8RtYb2NmXc5LpJh7Gd1Sf4Ae6UiOo9TgVyBnM',
  literal: 'q8Rk2vZx7LmW4tYb9NcS',
} as const

const past = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"exp":1600000000}').toString('base64url')}.Zk3vQw8RtYb2NmXc5LpJh7Gd1Sf4`
const anon = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"role":"anon"}').toString('base64url')}.Zk3vQw8RtYb2NmXc5LpJh7Gd1Sf4`

type Cases = Partial<Pick<RuleCases, 'example' | 'passing' | 'failing' | 'prepare'>>

const tracked: Cases['prepare'] = (directory) => makeRepository(directory)
const untracked: Cases['prepare'] = (directory) => makeRepository(directory, [])
const sqlite = 'SQLite format 3\0' + 'x'.repeat(84)

/** The examples of the docs, by the files that they are, and more than these. */
export const cases: Readonly<Record<string, Cases>> = {
  'secrets.private-key': {
    example: 'deploy/key.pem',
    passing: {
      'a header alone, a passphrase, a certificate': {
        'a.py': `if text.startswith("-----BEGIN ${'PRIVATE'} KEY-----"): pass\n`,
        'b.pem': secrets.privateKey.replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A\n\n'),
        'c.pem': `-----BEGIN ENCRYPTED ${'PRIVATE'} KEY-----\nMIIE${'x'.repeat(60)}\n`,
        'd.pem': secrets.privateKey.replaceAll('RSA PRIVATE KEY', 'CERTIFICATE'),
      },
    },
    failing: {
      'in JSON, in Python, of PuTTY': {
        'a.json': `"finds: secrets.private-key\n{ "key": ${JSON.stringify(secrets.privateKey)} }\n`,
        'b.py': `# finds: secrets.private-key\nKEY = """${secrets.privateKey}"""\n`,
        'c.ppk': `# finds: secrets.private-key\nPuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\n`,
      },
    },
  },
  'secrets.cloud-key': {
    example: 'deploy.sh',
    passing: {
      'of documentation, and numbers': {
        'a.sh': 'KEY=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n',
        'b.txt': 'AKIA0000000000000000 XAKIAQ3EGRIYV5J2LZ7TQ\n',
        'azurite.yml': `AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==\n`,
      },
    },
    failing: {
      'of AWS, Google and Azure': {
        'a.ini': `# finds: secrets.cloud-key\naws_secret_access_key = q8Rk2vZx7LmW4tYb9NcSq8Rk2vZx7LmW4tYb9NcS\n`,
        'b.json': `"finds: secrets.cloud-key\n"private_key_id": "9f3c1a529b7d4e60a1c45d2e7f9b0c36ab12cd34",\n`,
        'c.env.yml': `# finds: secrets.cloud-key\nDefaultEndpointsProtocol=https;AccountName=a;AccountKey=${'q8Rk2vZx7LmW4tYb9NcS'.repeat(4)}aB3dEf==\n`,
      },
    },
  },
  'secrets.service-token': {
    example: 'deploy.sh',
    passing: {
      'made up': { 'a.sh': `TOKEN=ghp_${'x'.repeat(36)}\nTOKEN=ghp_${'1234567890'.repeat(4)}\n` },
    },
    failing: {
      several: {
        'a.py': [
          '# finds: secrets.service-token',
          `hook = "https://hooks.slack.com/services/T8QK2VZX7/B7LMW4TYB/${'q8Rk2vZx7LmW4tYb9NcSu1Gd'}"`,
          '# finds: secrets.service-token',
          `stripe = "sk${'_live_'}q8Rk2vZx7LmW4tYb9NcSu1Gd"`,
          '# finds: secrets.service-token',
          `sendgrid = "SG${'.'}q8Rk2vZx7LmW4tYb9NcSu1.q8Rk2vZx7LmW4tYb9NcSu1q8Rk2vZx7LmW4tYb9NcSu"`,
          '',
        ].join('\n'),
      },
    },
  },
  'secrets.url-password': {
    example: 'deploy.sh',
    passing: {
      'one’s own machine, a neighbour in compose, put in from elsewhere, none at all': {
        'a.yml': [
          'A: postgres://app:hunter42@localhost:5432/app',
          'B: postgres://app:hunter42@db:5432/app',
          'C: postgres://app:${PASSWORD}@db.acme.com/app',
          'D: postgres://app:<password>@db.acme.com/app',
          'E: https://user:pass@acme.com/ amqp://guest:guest@mq.acme.com',
          'F: https://acme.com/a:b@c',
          'G: redis://:@cache.acme.com',
          'H: redis://:hunter42@cache.acme.private:6379/0 amqp://app:hunter42@mq.corp.lan',
          '',
        ].join('\n'),
      },
    },
    failing: {
      'without a user': {
        'a.py': '# finds: secrets.url-password\nCACHE = "redis://:9vXq2LmZ@cache.acme.com:6379/0"\n',
      },
    },
  },
  'secrets.jwt': {
    example: 'deploy.sh',
    passing: {
      'over, made for browsers, no token': {
        'a.ts': `const a = '${past}'\nconst b = '${anon}'\nconst c = 'eyJhbGciOiJI${'x'.repeat(9)}.eyJh${'x'.repeat(20)}.${'x'.repeat(30)}'\n`,
      },
    },
    failing: {},
  },
  'secrets.literal': {
    example: 'deploy.sh',
    passing: {
      'words, paths, names, lookups, tests': {
        'a.py': [
          'PASSWORD = "correct-horse-battery-staple"',
          'TOKEN = "settings.service.token_value"',
          "SECRET = os.environ['APP_SECRET_VALUE_1']",
          'API_KEY = "your-api-key-goes-here-1"',
          'token: "{{ vault_token_9x7z5q3w }}"',
          '',
        ].join('\n'),
        'tests/a.py': `TOKEN = "${secrets.literal}"\n`,
      },
    },
    failing: { json: { 'a.json': `"finds: secrets.literal\n"api_key": "${secrets.literal}"\n` } },
  },
  'secrets.env-tracked': {
    prepare: tracked,
    passing: {
      'a template, and what only looks like one': {
        '.env.example': 'SECRET_KEY=q8Rk2vZx7LmW4tYb\n',
        'env.py': 'SECRET_KEY = 1\n',
      },
    },
    failing: {
      'with secrets, and without': {
        '.env': `DEBUG=0\n# finds: secrets.env-tracked\nSECRET_KEY=${secrets.literal}\nDB_PASSWORD='9vXq2LmZ'\n`,
        'deploy/.env.production': `# finds: secrets.env-tracked\nAPI_TOKEN=${secrets.literal}\n`,
      },
    },
  },
  'secrets.env-not-ignored': {
    prepare: untracked,
    passing: {
      ignored: { '.gitignore': '.env*\n', '.env': 'A=1\n', '.env.local': 'A=1\n' },
      'a template': { '.env.sample': 'A=\n' },
    },
    failing: {},
  },
  'secrets.tool-credentials': {
    example: '.npmrc',
    passing: {
      'put in from elsewhere, users without passwords': {
        '.npmrc': '//r.test/:_authToken=${TOKEN}\nregistry=https://r.test/\n',
        'package.json': '{ "dependencies": { "a": "git+ssh://git@github.com/a/b.git" } }\n',
        'pip.conf': '[global]\nindex-url = https://${USER}:${PASSWORD}@pypi.test/simple\n',
        'config.json': '{ "auth": "oauth" }\n',
      },
    },
    failing: {
      'of each tool': {
        '.netrc': '# finds: secrets.tool-credentials\nmachine api.acme.com login ops password 9vXq2LmZ\n',
        '.pypirc': '[pypi]\n# finds: secrets.tool-credentials\npassword = 9vXq2LmZ\n',
        '.git-credentials': 'finds: secrets.tool-credentials\nhttps://ops:9vXq2LmZ@github.com\n',
        'pip.conf':
          '# finds: secrets.tool-credentials\nindex-url = https://ops:9vXq2LmZ@pypi.acme.com/simple\n',
        '.pgpass': '# finds: secrets.tool-credentials\ndb.acme.com:5432:shop:shop:9vXq2LmZ\n',
        '.docker/config.json':
          '"finds: secrets.tool-credentials\n{ "auths": { "r.acme.com": { "auth": "b3BzOjl2WHEyTG1a" } } }\n',
        'requirements.txt':
          '# finds: secrets.tool-credentials\ngit+https://9vXq2LmZ9vXq2LmZ@github.com/acme/x.git\n',
      },
    },
  },
  'secrets.kubernetes-secret': {
    example: 'deploy/secret.yaml',
    passing: {
      'placeholders, templates, encrypted, another kind, none': {
        'a.yaml': 'kind: Secret\nstringData:\n  a: changeme\n  b: "{{ .Values.b }}"\n  c: ""\n',
        'b.yaml': `kind: Secret\ndata:\n  a: ${Buffer.from('changeme').toString('base64')}\n`,
        'c.yaml': 'kind: Secret\ndata:\n  a: ENC[AES256_GCM,data:x]\nsops:\n  version: 3\n',
        'd.yaml':
          'kind: ConfigMap\ndata:\n  a: 9vXq2LmZ\n---\nkind: SealedSecret\nspec:\n  data:\n    a: AgB9vXq2LmZ\n',
        'e.yaml': 'kind: Secret\nmetadata:\n  name: 9vXq2LmZ\ntype: Opaque\n',
      },
    },
    failing: {
      'behind another document, base64, a block': {
        'a.yml': [
          'kind: ConfigMap',
          '---',
          'kind: "Secret"',
          'data:',
          '  # finds: secrets.kubernetes-secret',
          `  token: ${Buffer.from('9vXq2LmZ').toString('base64')}`,
          'stringData:',
          '  # finds: secrets.kubernetes-secret',
          '  config.ini: |',
          '    password = 9vXq2LmZ',
          '',
        ].join('\n'),
      },
    },
  },
  'secrets.kubeconfig': { example: 'deploy/cluster.yaml', passing: {}, failing: {} },
  'secrets.terraform-state': { example: 'infra/terraform.tfstate', passing: {}, failing: {} },
  'secrets.keystore': {
    prepare: tracked,
    passing: { empty: { 'a.p12': '', 'android/debug.keystore': 'x' } },
    failing: {},
  },
  'secrets.database-tracked': {
    prepare: tracked,
    passing: { 'another file of that name': { 'a.db': 'berkeley', 'b.txt': sqlite } },
    failing: {},
  },
  'secrets.dump-tracked': {
    prepare: tracked,
    passing: { 'SQL of one’s own': { 'schema.sql': 'CREATE TABLE a (b int);\n' } },
    failing: {},
  },
}
