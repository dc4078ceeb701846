import { isOn, optionOf } from '@havn/checklist'
import type { ServerCommand } from '@havn/checklist'
import { defineCommandRule } from '../command-rule.ts'

export const npmFirst = defineCommandRule({
  id: 'server.npm-as-first-process',
  title: 'npm stands between the container and the server',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Start the program itself: CMD ["node", "dist/server.js"].',
  references: [
    'https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md#cmd',
    'https://github.com/paketo-buildpacks/nodejs/issues/37',
  ],
  docs: {
    what: 'Finds images and containers that start their server with npm, yarn or pnpm, without an init before it.',
    why: 'Signals end at npm or its shell: a stop waits for its deadline and then kills, with requests in flight.',
    bad: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["npm", "run", "start:prod"]\n',
    good: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["node", "dist/server.js"]\n',
  },
  find({ server, app, origin, wrappers, via, place }) {
    if (!origin.isContainer) return null
    const hasInit = wrappers.some((name) => /^(?:dumb-init|tini|tini-static|catatonit)$/.test(name))
    if (hasInit || origin.service?.setting('init')?.value.boolean === true) return null
    const manager = server === 'npm' ? 'npm' : wrappers.find((name) => /^(?:npm|yarn|pnpm)$/.test(name))
    if (manager === undefined) return null
    const script = server === 'npm' ? ` run ${app?.value ?? ''}` : ''
    return { message: `${manager}${script} is what the container starts.`, place: via.at(-1) ?? place }
  },
})

/** Where its origin, or a line of a script before it, says so. */
function setsNodeEnv({ environment, place, origin, via }: ServerCommand): boolean {
  return (
    environment.has('NODE_ENV') ||
    (via.length > 0 && place.file !== origin.file && place.file.endsWith('.sh'))
  )
}

export const nodeEnv = defineCommandRule({
  id: 'server.node-env-missing',
  title: 'NODE_ENV is not production',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Add ENV NODE_ENV=production to the stage that runs.',
  references: [
    'https://nodejs.org/en/learn/getting-started/nodejs-the-difference-between-development-and-production',
  ],
  docs: {
    what: 'Finds images that start Node, and whose `NODE_ENV` is not `production`.',
    why: 'Express shows tracebacks and compiles its templates anew for each request; many packages log and check more.',
    bad: 'FROM node:24-slim\nCMD ["node", "server.js"]\n',
    good: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["node", "server.js"]\n',
  },
  servers: ['node', 'nest', 'pm2'],
  find(command) {
    const { origin, environment, place } = command
    if (origin.kind !== 'dockerfile') return null
    const set = environment.get('NODE_ENV')
    if (set?.value != null && set.value !== 'production')
      return { message: `NODE_ENV is ${set.value}.`, place: set.place }
    if (setsNodeEnv(command)) return null
    // `npm start` of `NODE_ENV=production node server.js`, and images of other languages that start Node.
    if (place.file.endsWith('package.json')) return null
    return { message: 'NODE_ENV is not set.' }
  },
})

export const insecureParser = defineCommandRule({
  id: 'server.insecure-http-parser',
  title: "Node's parser takes requests that break the rules of HTTP",
  severity: 'error',
  confidence: 'certain',
  hint: 'Take the option out, and mend the client that needs it.',
  references: ['https://nodejs.org/api/cli.html#--insecure-http-parser', 'CWE-444'],
  docs: {
    what: 'Finds `--insecure-http-parser`, as an option or in `NODE_OPTIONS`.',
    why: 'Where a proxy and a server read a request in two ways, a second one hides in it.',
    bad: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["node", "--insecure-http-parser", "server.js"]\n',
    good: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["node", "server.js"]\n',
  },
  find(command) {
    const option = command.server === 'node' ? optionOf(command, 'insecure-http-parser') : null
    if (isOn(option)) return { message: 'The parser is the insecure one.', place: option!.place }
    const options = command.environment.get('NODE_OPTIONS')
    return options?.value?.includes('--insecure-http-parser')
      ? { message: 'NODE_OPTIONS has --insecure-http-parser.', place: options.place }
      : null
  },
})

export const inspector = defineCommandRule({
  id: 'server.node-inspector',
  title: "Node's inspector listens in production",
  severity: 'error',
  confidence: 'certain',
  hint: 'Take --inspect out; send SIGUSR1 when it is needed.',
  references: ['https://nodejs.org/en/learn/getting-started/debugging#security-implications', 'CWE-489'],
  docs: {
    what: 'Finds `--inspect` and `--inspect-brk`, as an option or in `NODE_OPTIONS`.',
    why: 'Whoever reaches the port runs whatever code they like in the app.',
    bad: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["node", "--inspect=0.0.0.0:9229", "server.js"]\n',
    good: 'FROM node:24-slim\nENV NODE_ENV=production\nCMD ["node", "server.js"]\n',
  },
  find(command) {
    const names = ['inspect', 'inspect-brk', 'inspect-wait']
    const option =
      command.server === 'node'
        ? names.map((name) => optionOf(command, name)).find((each) => each !== null)
        : null
    if (option != null) return { message: `${option.spelling} is on.`, place: option.place }
    const options = command.environment.get('NODE_OPTIONS')
    return /--inspect/.test(options?.value ?? '')
      ? { message: 'NODE_OPTIONS has --inspect.', place: options!.place }
      : null
  },
})
