import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ensureDebian, ensurePython } from '../parts/index.ts'
import type { Work } from './comparison.ts'
import type { Contender } from './contender.ts'
import { createPollsSite } from './polls-site.ts'
import { fileContenders, nginxHead, proxyContenders } from './proxy-contenders.ts'
import { gunicorn, uwsgi, type PythonWork } from './python-contenders.ts'
import { slowCrowd } from './slow-crowd.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const requirements = ['Django>=5.2,<5.3', 'gunicorn', 'uwsgi', 'whitenoise']
const apps = resolve(import.meta.dirname, 'apps')
const kib = 1024
/** What a page of the polls and of the admin brings along. */
const stackFiles = [
  '/static/polls/style.css',
  '/static/admin/css/base.css',
  '/static/admin/js/theme.js',
  '/static/admin/img/search.svg',
]

/** The environment of every Python app and server here. */
export function ensureEdgePython(): Promise<string> {
  return ensurePython(requirements)
}

/**
 * The edge against the proxies that people run today: alone, with files, and with an app behind it.
 *
 * @param command script of the `platform` command that is measured.
 */
export async function edgeWorks(command: string): Promise<Work[]> {
  const python = await ensureEdgePython()
  const nginx = await ensureDebian('nginx', 'nginx-light')
  const caddy = await ensureDebian('caddy')
  const files = createFiles()
  const polls = await createPollsSite(python)
  const fileServers = fileContenders(command, { nginx, python, files, apps })
  return [
    {
      name: 'proxy',
      title: 'A reverse proxy alone, in front of an upstream that costs next to nothing',
      path: '/',
      connections: [8, 32, 128],
      contenders: proxyContenders(command, { nginx, caddy }),
    },
    {
      name: 'file-10k',
      title: 'A static file of 10 KiB',
      path: '/static/10k.bin',
      connections: [8, 32],
      contenders: fileServers,
    },
    {
      name: 'file-1m',
      title: 'A static file of 1 MiB',
      path: '/static/1m.bin',
      connections: [8, 32],
      contenders: fileServers,
    },
    {
      name: 'stack',
      title:
        'The polls example as a browser sees it: its list, then four static files of the page and of the admin',
      path: '/polls/',
      morePaths: stackFiles,
      connections: [8, 32],
      contenders: stackContenders(command, {
        python,
        nginx,
        directory: polls,
        target: 'mysite.wsgi:application',
      }),
    },
    {
      name: 'stack-hello',
      title: 'The same files with a Django page that does next to nothing: what the stack itself costs',
      path: '/hello',
      morePaths: stackFiles,
      connections: [8, 32],
      contenders: stackContenders(command, {
        python,
        nginx,
        directory: await createHelloSite(polls),
        target: 'bench_site.wsgi:application',
      }),
    },
    {
      name: 'slow-clients',
      title: 'Files of 10 KiB, alone and among 2,000 slow clients',
      path: '/static/10k.bin',
      connections: [8],
      crowd: slowCrowd(2_000, { bodyPath: '/static/10k.bin', filePath: '/static/1m.bin' }),
      contenders: fileServers.filter(({ name }) => name !== 'whitenoise + gunicorn'),
    },
  ]
}

/** Files of random bytes, which nobody compresses. */
function createFiles(): string {
  const folder = mkdtempSync(join(temporaryDirectory('files'), 'static-'))
  writeFileSync(join(folder, '10k.bin'), randomBytes(10 * kib))
  writeFileSync(join(folder, '1m.bin'), randomBytes(kib * kib))
  return folder
}

/** A Django site that answers with a few words, and the collected files of the polls beside it. */
async function createHelloSite(polls: string): Promise<string> {
  const directory = join(temporaryDirectory('hello'), 'hello')
  await cp(join(apps, 'bench_site'), join(directory, 'bench_site'), { recursive: true })
  await cp(join(polls, 'staticfiles'), join(directory, 'staticfiles'), { recursive: true })
  const config = {
    app: {
      framework: 'python',
      entry: 'bench_site.wsgi:application',
      interface: 'wsgi',
      healthPath: '/hello',
    },
    staticFiles: [{ url: '/static/', directory: 'staticfiles' }],
  }
  writeFileSync(join(directory, 'platform.config.json'), JSON.stringify(config))
  return directory
}

function stackContenders(command: string, work: PythonWork): Contender[] {
  const { directory, python, nginx } = work
  const inFrontOf = (
    name: string,
    pass: string,
    server: (socket: string) => ReturnType<typeof gunicorn>,
  ): Contender => ({
    name,
    processes(port) {
      const folder = mkdtempSync(join(temporaryDirectory('stack'), 'run-'))
      const socket = join(folder, 'app.sock')
      const config = join(folder, 'nginx.conf')
      writeFileSync(
        config,
        `${nginxHead(folder, 'nginx', 2)}
http {
  access_log off; keepalive_requests 1000000; sendfile on; tcp_nopush on;
  include /etc/nginx/mime.types;
  upstream app { server unix:${socket}; keepalive 32; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port} backlog=2048;
    location /static/ { alias ${directory}/staticfiles/; }
    location / { ${pass} }
  }
}
`,
      )
      return [
        server(socket),
        { program: nginx, args: ['-c', config, '-p', folder, '-e', 'stderr'], cwd: folder },
      ]
    },
  })
  return [
    {
      name: 'havn',
      processes: (port) => [
        {
          program: process.execPath,
          args: [
            ...[command, 'up', directory, '--python', python, '--bind', `127.0.0.1:${port}`],
            ...['--workers', '2', '--no-access-log'],
          ],
          cwd: directory,
        },
      ],
    },
    inFrontOf(
      'nginx + gunicorn',
      'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;',
      (socket) => gunicorn(work, `unix:${socket}`),
    ),
    inFrontOf('nginx + uwsgi', 'include /etc/nginx/uwsgi_params; uwsgi_pass app;', (socket) =>
      uwsgi(work, '--socket', socket),
    ),
  ]
}
