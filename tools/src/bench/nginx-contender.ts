import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender, ContenderProcess } from './contender.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** nginx with two workers and kept-alive connections to a server on a Unix socket. */
export function behindNginx(
  nginx: string,
  name: string,
  protocol: 'http' | 'uwsgi',
  server: (socket: string) => ContenderProcess,
): Contender {
  let parent: string | undefined
  return {
    name,
    processes(port) {
      parent ??= temporaryDirectory('nginx')
      const folder = mkdtempSync(join(parent, 'run-'))
      const socket = join(folder, 'app.sock')
      const config = join(folder, 'nginx.conf')
      writeFileSync(config, nginxConfig({ port, socket, protocol, folder }))
      return [
        server(socket),
        { program: nginx, args: ['-c', config, '-p', folder, '-e', 'stderr'], cwd: folder },
      ]
    },
  }
}

function nginxConfig(input: {
  port: number
  socket: string
  protocol: 'http' | 'uwsgi'
  folder: string
}): string {
  const { port, socket, protocol, folder } = input
  const pass =
    protocol === 'http'
      ? 'proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;'
      : 'include /etc/nginx/uwsgi_params; uwsgi_pass app;'
  // Started by root its workers would be another user's, who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;\n' : ''
  return `${user}daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; uwsgi_temp_path ${folder}/uwsgi;
  fastcgi_temp_path ${folder}/fastcgi; scgi_temp_path ${folder}/scgi;
  client_max_body_size 64m;
  keepalive_requests 1000000;
  upstream app { server unix:${socket}; keepalive 32; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port} backlog=2048; location / { ${pass} } }
}
`
}
