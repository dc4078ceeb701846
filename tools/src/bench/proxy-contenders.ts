import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, type Contender, type ContenderProcess } from './contender.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Programs that a proxy is compared with. */
export interface ProxyPrograms {
  nginx: string
  caddy: string
}

/** The cheapest upstream that there is, so that what is measured is the proxy: nginx with one worker and fixed words. */
function upstream(nginx: string, folder: string, port: number): ContenderProcess {
  const config = join(folder, 'upstream.conf')
  writeFileSync(
    config,
    `${nginxHead(folder, 'upstream', 1)}
http {
  access_log off; keepalive_requests 1000000; default_type text/plain;
  server { listen 127.0.0.1:${port} backlog=2048; location / { return 200 "Hello, world!"; } }
}
`,
  )
  const args = ['-c', config, '-p', folder, '-e', 'stderr']
  return { program: nginx, args, cwd: folder, isBackground: true }
}

/** Reverse proxies, each alone in front of the same upstream, with what their documentation advises for keep-alive. */
export function proxyContenders(command: string, { nginx, caddy }: ProxyPrograms): Contender[] {
  const contender = (
    name: string,
    proxy: (input: { port: number; upstreamPort: number; folder: string }) => ContenderProcess,
  ): Contender => ({
    name,
    async processes(port) {
      const folder = runFolder()
      const upstreamPort = await freePort()
      return [upstream(nginx, folder, upstreamPort), proxy({ port, upstreamPort, folder })]
    },
  })
  return [
    contender('havn', ({ port, upstreamPort, folder }) => ({
      program: process.execPath,
      args: [
        ...[command, 'proxy', '--bind', `127.0.0.1:${port}`, '--upstream', `127.0.0.1:${upstreamPort}`],
        ...['--threads', '2', '--no-access-log'],
      ],
      cwd: folder,
    })),
    contender('nginx', ({ port, upstreamPort, folder }) => {
      const config = join(folder, 'proxy.conf')
      const location =
        'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;'
      writeFileSync(
        config,
        `${nginxHead(folder, 'proxy', 2)}
http {
  access_log off; keepalive_requests 1000000;
  upstream app { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port} backlog=2048; location / { ${location} } }
}
`,
      )
      return { program: nginx, args: ['-c', config, '-p', folder, '-e', 'stderr'], cwd: folder }
    }),
    contender('caddy', ({ port, upstreamPort, folder }) => {
      const config = join(folder, 'Caddyfile')
      writeFileSync(
        config,
        `{
  admin off
  auto_https off
  log {
    output discard
  }
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${upstreamPort} {
    transport http {
      keepalive_idle_conns_per_host 256
    }
  }
}
`,
      )
      const env = { GOMAXPROCS: '2', XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, HOME: folder }
      return { program: caddy, args: ['run', '--config', config, '--adapter', 'caddyfile'], cwd: folder, env }
    }),
  ]
}

/** Servers of the same folder of files, under /static/. */
export function fileContenders(
  command: string,
  input: { nginx: string; python: string; files: string; apps: string },
): Contender[] {
  const { nginx, python, files, apps } = input
  return [
    {
      name: 'havn',
      processes: (port) => [
        {
          program: process.execPath,
          args: [
            ...[command, 'proxy', '--bind', `127.0.0.1:${port}`, '--static', `/static/=${files}`],
            ...['--threads', '2', '--no-access-log'],
          ],
          cwd: runFolder(),
        },
      ],
    },
    {
      name: 'nginx',
      processes(port) {
        const folder = runFolder()
        const config = join(folder, 'files.conf')
        writeFileSync(
          config,
          `${nginxHead(folder, 'files', 2)}
http {
  access_log off; keepalive_requests 1000000; sendfile on; tcp_nopush on; etag on;
  types { application/octet-stream bin; text/css css; }
  server { listen 127.0.0.1:${port} backlog=2048; location /static/ { alias ${files}/; } }
}
`,
        )
        return [{ program: nginx, args: ['-c', config, '-p', folder, '-e', 'stderr'], cwd: folder }]
      },
    },
    {
      name: 'whitenoise + gunicorn',
      processes: (port) => [
        {
          program: join(python, '..', 'gunicorn'),
          args: [
            'files_site:application',
            ...['--bind', `127.0.0.1:${port}`, '--workers', '2', '--log-level', 'warning'],
            ...['--worker-class', 'gthread', '--threads', '4'],
          ],
          cwd: apps,
          env: { BENCH_FILES: files },
        },
      ],
    },
  ]
}

let parent: string | undefined

/** A fresh folder for one run. */
function runFolder(): string {
  parent ??= temporaryDirectory('proxy')
  return mkdtempSync(join(parent, 'run-'))
}

/** What every configuration of nginx begins with. */
export function nginxHead(folder: string, name: string, workers: number): string {
  // Started by root its workers would be another user's, who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  const temporary = join(folder, name)
  mkdirSync(temporary)
  return `${user}daemon off;
worker_processes ${workers};
pid ${temporary}/nginx.pid;
error_log stderr error;
events { worker_connections 8192; }`
}
