import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../src/main.ts'
import { RecordedTerminal } from './recorded-terminal.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'havn-main-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function run(...args: string[]) {
  return runAnswered(undefined, ...args)
}

/** With somebody there who gives these answers. */
async function runAnswered(answers: string[] | undefined, ...args: string[]) {
  const terminal = new RecordedTerminal({ answers })
  const code = await main(args, terminal)
  return { code, out: terminal.out, err: terminal.err }
}

const commands = [
  'up',
  'serve',
  'proxy',
  'run',
  'status',
  'reload',
  'down',
  'check',
  'explain',
  'plugins',
  'doctor',
]

describe('help', () => {
  test('platform --help, help, and no arguments are the same text', async () => {
    const help = await run('--help')
    expect(help.code).toBe(0)
    await expect(help.out).toMatchFileSnapshot('golden/help/platform.txt')
    expect(await run('help')).toEqual(help)
    expect(await run()).toEqual({ ...help, code: 2 })
    for (const command of commands) expect(help.out).toMatch(new RegExp(`^  ${command} `, 'm'))
  })

  test.each(commands)('platform %s --help', async (command) => {
    const help = await run(command, '--help')
    expect(help).toMatchObject({ code: 0, err: '' })
    await expect(help.out).toMatchFileSnapshot(`golden/help/${command}.txt`)
    expect(await run('help', command)).toEqual(help)
  })

  test('--version is the package’s', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: '0.1.0\n', err: '' })
  })
})

describe('wrong use', () => {
  test.each([
    [['upp'], "Unknown command 'upp'. Did you mean up?", 'Run platform --help'],
    [['status', '--jsn'], "Unknown option '--jsn'. Did you mean --json?", 'Run platform status --help'],
    [['up', '--workers', 'two'], 'It takes a whole number from 1 to 9999', 'Run platform up --help'],
    [['up', '--workers'], 'argument missing', 'Run platform up --help'],
    [['up', '--request-timeout', '-1'], 'It takes seconds, from 0 to 86400', 'Run platform up --help'],
    [['up', '--log-level', 'loud'], 'Allowed choices are fatal, error', 'Run platform up --help'],
    [['up', 'a', 'b'], 'Expected 1 argument but got 2', 'Run platform up --help'],
    [['serve'], "Missing required argument 'entry'", 'Run platform serve --help'],
  ])('%j', async (args, message, hint) => {
    const { code, out, err } = await run(...args)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain('error HAVN_ERR_COMMAND_USAGE: ')
    expect(err).toContain(message)
    expect(err).toContain(hint)
  })

  test('platform run without a command', async () => {
    const { code, err } = await run('run')
    expect(code).toBe(2)
    expect(err).toContain('HAVN_ERR_RUN_NO_COMMAND')
  })

  test('an option does not swallow the argument after it', async () => {
    const { err } = await run('up', '--bind', ':0', join(directory, 'nowhere'))
    expect(err).toContain(`There is no directory ${join(directory, 'nowhere')}`)
  })
})

describe('--json', () => {
  test.each([
    [['status', '--jsn', '--json'], 'HAVN_ERR_COMMAND_USAGE', 2],
    [['plugins', '--json', '-d', '/no/such/folder'], 'HAVN_ERR_DIRECTORY_MISSING', 2],
    [['explain', '--json', '-c', '/no/such/file.toml'], 'HAVN_ERR_CONFIG_NOT_FOUND', 2],
  ])('%j is an error on stdout', async (args, errorCode, exit) => {
    const { code, out, err } = await run(...args)
    expect(code).toBe(exit)
    expect(err).toBe('')
    expect(JSON.parse(out).error).toMatchObject({ code: errorCode, exit })
    expect(JSON.parse(out).error).not.toHaveProperty('detail')
  })

  test('of a command that is run is the command’s own', async () => {
    const { out, err } = await run('run', '-d', join(directory, 'nowhere'), '--', 'x', '--json')
    expect(out).toBe('')
    expect(err).toContain('HAVN_ERR_DIRECTORY_MISSING')
  })
})

describe('platform check', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(directory, 'checked-'))
  })
  const command = '["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000", "--threads", "4"]'
  const dockerfile = `FROM python:3.13-slim\nADD . /app\nUSER 10001\nCMD ${command}\n`

  test('finds nothing where there is nothing', async () => {
    const { code, out } = await run('check', folder)
    expect(code).toBe(0)
    expect(out).toContain('No grade: there is nothing to judge; passed')
  })

  test('says what it found, by its exit code too, and mends it where it may', async () => {
    await writeFile(join(folder, 'Dockerfile'), dockerfile)
    const found = await run('check', folder, '--fail-level', 'warn')
    expect(found.code).toBe(3)
    expect(found.out).toContain('warn Dockerfile:2:1 (stage 0)  dockerfile.add-for-copy')
    const mended = await run('check', folder, '--fail-level', 'warn', '--fix')
    expect(mended.code).toBe(0)
    expect(mended.err).toBe('fixed Dockerfile:2 dockerfile.add-for-copy: Write COPY\n')
    expect(await readFile(join(folder, 'Dockerfile'), 'utf8')).toContain('COPY . /app')
  })

  test('knows what its baseline knows', async () => {
    await writeFile(join(folder, 'Dockerfile'), dockerfile)
    const file = join(folder, 'known.json')
    expect((await run('check', folder, '--fail-level', 'warn', '--write-baseline', file)).code).toBe(3)
    const config = join(folder, 'platform.config.json')
    await writeFile(config, JSON.stringify({ checks: { failLevel: 'warn', baseline: 'known.json' } }))
    const { code, out } = await run('check', folder)
    expect(code).toBe(0)
    expect(out).toContain('in the baseline')
    await rm(file)
    expect((await run('check', folder)).err).toContain('HAVN_ERR_CHECK_BASELINE_MISSING')
    await rm(config)
  })

  test('asks the site that --url names, gently, and no other', async () => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url!)
      response.setHeader('Content-Type', 'text/html').end('<h1>Shop</h1>')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { code, out } = await run('check', folder, '--url', url)
    server.close()
    expect(code).toBe(3)
    expect(out).toContain(`error ${url}/  http.https-missing`)
    expect(out).toContain('      < HTTP/1.1 200 OK')
    expect(asked.length).toBeLessThanOrEqual(60)
    const wrong = await run('check', folder, '--url', 'https://ops:hunter2@example.com/')
    expect(wrong.code).toBe(2)
    expect(wrong.err).toContain('HAVN_ERR_SITE_URL')
    expect(wrong.err).not.toContain('hunter2')
  })

  test('without --url tells of the rules about a site in one line', async () => {
    const { out } = await run('check', folder, '--verbose')
    expect(out).toMatch(/^ {2}No site named by --url here: http\.unreachable, http\./m)
  })

  test('says what is wrong with names that lead nowhere', async () => {
    const file = join(folder, 'nowhere/known.json')
    const unwritable = await run('check', folder, '--write-baseline', file)
    expect([unwritable.code, unwritable.err]).toEqual([1, expect.stringContaining('BASELINE_UNWRITABLE')])
    const missing = await run('check', folder, '--python', '/nowhere/python')
    expect([missing.code, missing.out]).toEqual([1, ''])
    expect(missing.err).toContain('/nowhere/python (named)')
  })

  describe('asks about fixes that need a look', () => {
    const before = 'FROM python:3.13-slim\nUSER 10001\nCMD gunicorn shop.wsgi\n'
    const mend = async (answers?: string[], ...more: string[]) => {
      await writeFile(join(folder, 'Dockerfile'), before)
      const seen = await runAnswered(answers, 'check', folder, '--fix-suggested', ...more)
      return { ...seen, after: await readFile(join(folder, 'Dockerfile'), 'utf8') }
    }

    test('showing what they change, and makes those alone that are wanted', async () => {
      const { err, after } = await mend(['y'])
      expect(err).toContain('[y]es, [N]o, [q]uit')
      expect(err).toContain('- CMD gunicorn shop.wsgi\n      + CMD exec gunicorn shop.wsgi\n')
      expect(after).toBe(before.replace('CMD', 'CMD exec'))
    })

    test.each([[['n']], [['']], [['q']], [[]]])('and takes %j for no', async (answers) => {
      expect((await mend(answers)).after).toBe(before)
    })

    test('but not where nobody is there', async () => {
      const { code, err, after } = await mend(undefined)
      expect([code, after]).toEqual([2, before])
      expect(err).toContain('HAVN_ERR_CHECK_NOBODY_TO_ASK')
    })
  })

  test('runs items of one’s own, commands and code', async () => {
    await rm(join(folder, 'Dockerfile'))
    const config = join(folder, 'platform.config.ts')
    await writeFile(
      config,
      `export default {
  checks: {
    items: [
      { id: 'shop.licence', title: 'There is no licence', check: async ({ read, report }) => {
        if ((await read('LICENSE')) === null) report({ message: 'LICENSE is missing.' })
      } },
      { id: 'shop.exit', title: 'The command fails', command: [process.execPath, '-e', 'process.exit(2)'], severity: 'warn' },
    ],
  },
}\n`,
    )
    const { code, out } = await run('check', folder)
    expect(code).toBe(3)
    expect(out).toMatch(/error shop\.licence\n {4}LICENSE is missing\.\n/)
    expect(out).toContain('ended with exit code 2.')
    await rm(config)
  })

  test.each(['json', 'sarif', 'junit', 'markdown'])('prints %s alone', async (format) => {
    await writeFile(join(folder, 'Dockerfile'), dockerfile)
    const { code, out, err } = await run('check', folder, '--format', format)
    expect([code, err]).toEqual([0, ''])
    if (format === 'json' || format === 'sarif') expect(() => JSON.parse(out) as unknown).not.toThrow()
    expect(out).toContain('dockerfile.add-for-copy')
  })
})

describe('a folder where nothing is up', () => {
  test.each(['status', 'down'])('platform %s', async (command) => {
    const { code, err } = await run(command, directory)
    expect(code).toBe(1)
    expect(err).toContain('HAVN_ERR_NOT_UP')
    expect(err).toContain('Start it with platform up.')
  })

  test('platform status of no folder', async () => {
    expect((await run('status', join(directory, 'nowhere'))).err).toContain('HAVN_ERR_DIRECTORY_MISSING')
  })

  test('platform explain of no app lists what was looked for', async () => {
    const { code, err } = await run('explain', '-d', directory)
    expect(code).toBe(1)
    expect(err).toContain('HAVN_ERR_APP_NOT_FOUND')
    expect(err).toContain('manage.py')
  })

  test('platform explain names near facts', async () => {
    await writeFile(
      join(directory, 'app.py'),
      'def app(environ, start_response):\n    start_response("200 OK", [])\n    return []\n',
    )
    const { code, err } = await run('explain', '-d', directory, 'entri')
    expect(code).toBe(2)
    expect(err).toContain('Nothing is known by the name "entri". Did you mean "entry"?')
  })
})
