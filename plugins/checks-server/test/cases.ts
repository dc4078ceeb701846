import type { RuleCases } from '@havn/checklist/testing'

/** A Dockerfile of these lines. */
function image(...lines: string[]): { Dockerfile: string } {
  return { Dockerfile: ['FROM python:3.13-slim', ...lines, ''].join('\n') }
}

const start = 'CMD ["gunicorn", "shop.wsgi", "-c", "gunicorn.conf.py"]'
const compose = (...lines: string[]) => ({
  'compose.yaml': ['services:', '  web:', '    image: shop:1', ...lines, ''].join('\n'),
})

/** More than the examples of the docs, by rule. */
export const cases: Readonly<Record<string, Partial<Pick<RuleCases, 'passing' | 'failing'>>>> = {
  'server.development-server': {
    passing: {
      'what the Dockerfile pack finds itself': image('CMD ["python", "manage.py", "runserver"]'),
      'files for development': {
        'docker-compose.dev.yml':
          'services:\n  web:\n    image: x:1\n    command: python manage.py runserver\n',
        'compose/local/start.sh': 'python manage.py runserver\n',
        Procfile: 'web: gunicorn shop.wsgi --threads 4\n',
      },
      'a source folder that is mounted': {
        'compose.yaml':
          'services:\n  web:\n    image: x:1\n    volumes: [".:/app"]\n    command: python manage.py runserver\n',
      },
    },
    failing: {
      'a script that the image starts': {
        ...image('COPY start.sh /', 'CMD ["/start.sh"]'),
        'start.sh': '# finds: server.development-server\nexec python manage.py runserver 0:8000\n',
      },
      'compose, and a Procfile': {
        ...compose('    # finds: server.development-server', '    command: flask run --host 0.0.0.0'),
        Procfile: '# finds: server.development-server\nweb: python manage.py runserver 0:$PORT\n',
      },
    },
  },
  'server.reload': {
    passing: { 'off by its value': { ...image(start), 'gunicorn.conf.py': 'reload = False\n' } },
    failing: {
      'the configuration file': {
        ...image(start),
        'gunicorn.conf.py': '# finds: server.reload\nreload = True\n',
      },
    },
  },
  'server.forwarded-any': {
    passing: {
      'a socket': image('CMD ["gunicorn", "a:b", "-b", "unix:/run/x.sock", "--forwarded-allow-ips=*"]'),
    },
    failing: {
      'a unit, by its variable': {
        'shop.service':
          '[Service]\n# finds: server.forwarded-any\nEnvironment=FORWARDED_ALLOW_IPS=*\nExecStart=/x/gunicorn a:b -b :8000\n',
      },
    },
  },
  'server.gunicorn-old': {
    passing: {
      'open, newer, and for development': {
        'requirements.txt': 'gunicorn\ngunicorn>=20\ngunicorn<24\ngunicorn==23.0.0\ngunicorn-x==1\n',
        'requirements/dev.txt': 'gunicorn==20.0\n',
        'package.json': '{"dependencies": {"gunicorn": "1.0.0"}}',
      },
    },
    failing: {
      'ranges, and a lock': {
        'requirements.txt':
          '# finds: server.gunicorn-old\ngunicorn>=20,<23\n# finds: server.gunicorn-old\ngunicorn~=21.2\n',
        'uv.lock': '[[package]]\nname = "gunicorn" # finds: server.gunicorn-old\nversion = "22.0.0"\n',
      },
    },
  },
  'server.loopback-in-container': {
    passing: {
      'a proxy in the same container, PORT, a file that is elsewhere': {
        'a/Dockerfile': 'FROM a:1\nRUN apt-get install nginx\nCMD ["gunicorn", "a:b"]\n',
        'b/Dockerfile': 'FROM a:1\nENV PORT=8000\nCMD ["gunicorn", "a:b"]\n',
        'c/Dockerfile': 'FROM a:1\nCMD ["gunicorn", "-c", "/etc/gunicorn.py", "a:b"]\n',
        'd/Dockerfile': 'FROM a:1\nCMD ["gunicorn", "a:b", "-b", "unix:/run/x.sock"]\n',
        'shop.service': '[Service]\nExecStart=/x/gunicorn a:b\n',
      },
      'the network of the machine': compose('    network_mode: host', '    command: gunicorn a:b'),
    },
    failing: {
      'uvicorn, and an address that is given': {
        'a/Dockerfile':
          'FROM a:1\n# finds: server.loopback-in-container\nCMD ["uvicorn", "a:b", "--port", "80"]\n',
        'b/Dockerfile':
          'FROM a:1\n# finds: server.loopback-in-container\nCMD ["gunicorn", "a:b", "-b", "localhost:80"]\n',
      },
    },
  },
  'server.runs-as-root': {
    passing: {},
    failing: {
      'Celery that is forced': image(
        '# finds: server.runs-as-root',
        'ENV C_FORCE_ROOT=1',
        'CMD ["celery", "-A", "x", "worker"]',
      ),
    },
  },
  'server.one-request-at-a-time': {
    passing: {
      'asynchronous, many, unknown, given by the platform': {
        'a/Dockerfile': 'FROM a:1\nCMD gunicorn a:b -k uvicorn.workers.UvicornWorker\n',
        'b/Dockerfile': 'FROM a:1\nENV WEB_CONCURRENCY=3\nCMD gunicorn a:b\n',
        'c/Dockerfile': 'FROM a:1\nCMD gunicorn a:b -w $WORKERS\n',
        Procfile: 'web: gunicorn a:b\n',
      },
    },
    failing: {},
  },
  'server.max-requests-without-jitter': {
    passing: { 'none at all': image('CMD ["gunicorn", "a:b", "--max-requests", "0"]') },
    failing: {
      'the configuration file': {
        ...image(start),
        'gunicorn.conf.py': '# finds: server.max-requests-without-jitter\nmax_requests = 1_000\n',
      },
    },
  },
  'server.preload-telemetry': {
    passing: {
      'a hook': {
        ...image(start),
        'gunicorn.conf.py': 'preload_app = True\ndef post_fork(server, worker):\n    pass\n',
        'requirements.txt': 'opentelemetry-sdk==1.30.0\n',
      },
      'no SDK': { ...image('CMD ["gunicorn", "a:b", "--preload"]'), 'requirements.txt': 'django==5.2\n' },
    },
    failing: {
      'no hook': {
        ...image('# finds: server.preload-telemetry', 'CMD ["gunicorn", "a:b", "--preload"]'),
        'requirements.txt': 'opentelemetry-sdk==1.30.0\n',
      },
    },
  },
  'server.detached': {
    passing: {
      'a script in which something else stays': {
        ...image('COPY run.sh /', 'CMD ["/run.sh"]'),
        'run.sh': 'gunicorn a:b --daemon\nnginx -g "daemon off;"\n',
      },
      'a line in which something else stays': image('CMD gunicorn -D a:b && nginx -g "daemon off;"'),
    },
    failing: {
      'alone in a line for a shell': image('# finds: server.detached', 'CMD gunicorn -D a:b'),
    },
  },
  'server.npm-as-first-process': {
    passing: {
      'an init before it': { Dockerfile: 'FROM node:24\nENTRYPOINT ["tini", "--"]\nCMD ["npm", "start"]\n' },
      'an init of compose': compose('    init: true', '    command: npm start'),
    },
    failing: {
      'through a script that is found': {
        Dockerfile: 'FROM node:24\n# finds: server.npm-as-first-process\nCMD ["npm", "start"]\n',
        'package.json': '{"scripts": {"start": "node server.js"}}',
      },
    },
  },
  'server.node-env-missing': {
    passing: {
      'a script that sets it': {
        Dockerfile: 'FROM node:24\nCMD ["npm", "start"]\n',
        'package.json': '{"scripts": {"start": "NODE_ENV=production node x.js"}}',
      },
    },
    failing: {
      'another value': {
        Dockerfile:
          'FROM node:24\n# finds: server.node-env-missing\nENV NODE_ENV=development\nCMD ["node", "x.js"]\n',
      },
    },
  },
  'server.uwsgi-need-app': {
    passing: { 'a file that is elsewhere': image('CMD uwsgi --ini /etc/x.ini') },
    failing: {
      'the file that lacks it': {
        ...image('CMD uwsgi --ini uwsgi.ini'),
        'uwsgi.ini': '[uwsgi]\n; finds: server.uwsgi-need-app\nhttp-socket = :8000\nneed-app = false\n',
      },
    },
  },
  'server.log-to-file': {
    passing: {
      'standard streams, and a machine': {
        ...image('CMD ["gunicorn", "a:b", "--access-logfile", "/dev/stdout", "--error-logfile", "-"]'),
        'shop.service': '[Service]\nExecStart=/x/gunicorn a:b --access-logfile /var/log/x.log\n',
      },
    },
    failing: {},
  },
  'server.pino-redact': {
    passing: {
      'serializers of its own': {
        'a.js': "import log from 'pino-http'\napp.use(log({ serializers: { req: ({ url }) => url } }))\n",
      },
      'pino alone': { 'a.js': "import pino from 'pino'\nexport default pino()\n" },
    },
    failing: {
      'under a name of its own': {
        'a.ts': "import pino from 'pino-http'\n// finds: server.pino-redact\napp.use(pino())\n",
        'b.js':
          'const http_log = require("pino-http")\n// finds: server.pino-redact\napp.use(http_log({ logger }))\n',
      },
      'called at once': { 'a.js': "// finds: server.pino-redact\nconst log = require('pino-http')()\n" },
    },
  },
  'server.trust-proxy-all': {
    passing: { comments: { 'server.js': "// app.set('trust proxy', true)\n" } },
    failing: {
      fastify: {
        'src/app.ts': '// finds: server.trust-proxy-all\nconst app = fastify({ trustProxy: true })\n',
      },
    },
  },
  'server.flask-run': {
    passing: {
      'a file that production does not start': {
        ...image('CMD ["gunicorn", "app:app", "--threads", "4"]'),
        'app.py': 'from flask import Flask\nif __name__ == "__main__":\n    app.run(debug=True)\n',
      },
    },
    failing: {
      'the file that it starts': {
        ...image('COPY . /srv', 'CMD ["python", "/srv/app.py"]'),
        'app.py': 'from flask import Flask\n# finds: server.flask-run\napp.run(host="0.0.0.0")\n',
      },
    },
  },
  'server.metric-path-label': {
    passing: {
      'a pattern of routes': { 'metrics.js': 'total.labels(req.method, req.route.path).inc()\n' },
      'the end of something else': {
        'app.js': 'const end = times.startTimer()\nend({ route: req.route.path })\nres.end(req.path)\n',
      },
    },
    failing: {
      'a timer, and its end': {
        'metrics.js':
          '// finds: server.metric-path-label\nconst end = times.startTimer({ route: req.path })\n// finds: server.metric-path-label\nend({ method: req.method, route: req.path, code: res.statusCode })\n',
      },
      node: {
        'metrics.js':
          '// finds: server.metric-path-label\ntotal.inc({ method: req.method, path: req.originalUrl })\n',
      },
    },
  },
  'server.nginx-alias-traversal': {
    passing: {
      'what the app alone leads to': {
        'nginx.conf': 'server {\n  location /media {\n    internal;\n    alias /x/media/;\n  }\n}\n',
      },
      'an alias without a slash, a pattern, one file': {
        'nginx.conf':
          'server {\n  location /a { alias /x/a; }\n  location ~ ^/b { alias /x/b/; }\n  location = /c { alias /x/c/; }\n}\n',
      },
    },
    failing: {
      'a prefix that wins': {
        'nginx.conf':
          'server {\n  # finds: server.nginx-alias-traversal\n  location ^~ /a { alias /x/a/; }\n}\n',
      },
    },
  },
  'server.nginx-response-splitting': {
    passing: {
      'within nginx': {
        'nginx.conf': 'server {\n  rewrite ^/a $uri/b last;\n  return 200 $uri;\n  try_files $uri =404;\n}\n',
      },
    },
    failing: {
      'what it asks its upstream for': {
        'nginx.conf':
          'server {\n  location / {\n    # finds: server.nginx-response-splitting\n    proxy_pass http://app$document_uri;\n  }\n}\n',
      },
      'a header': {
        'nginx.conf': 'server {\n  # finds: server.nginx-response-splitting\n  add_header X-Path $uri;\n}\n',
      },
    },
  },
  'server.nginx-http-host': {
    passing: {},
    failing: {
      'an argument of the request': {
        'nginx.conf':
          'server {\n  location / {\n    # finds: server.nginx-http-host\n    proxy_set_header host $arg_host;\n    proxy_pass http://app;\n  }\n}\n',
      },
    },
  },
  'server.nginx-host-missing': {
    passing: {
      'set further out, in a file, another site': {
        'nginx.conf':
          'server {\n  proxy_set_header Host $host;\n  location / { proxy_pass http://app; }\n}\nserver {\n  location / { include proxy_params; proxy_pass http://app; }\n  location /x/ { proxy_pass https://x.test/; }\n}\n',
      },
    },
    failing: {
      'what a location does not inherit': {
        'nginx.conf':
          'server {\n  proxy_set_header Host $host;\n  location / {\n    proxy_set_header X-Real-IP $remote_addr;\n    # finds: server.nginx-host-missing\n    proxy_pass http://app;\n  }\n}\n',
      },
    },
  },
  'server.nginx-proto-missing': {
    passing: {
      'without TLS': { 'nginx.conf': 'server {\n  listen 80;\n  location / { proxy_pass http://app; }\n}\n' },
    },
    failing: {},
  },
  'server.nginx-metrics-public': {
    passing: {
      'a password further out': {
        'nginx.conf': 'server {\n  auth_basic x;\n  location = /metrics { proxy_pass http://app; }\n}\n',
      },
    },
    failing: {
      'its own status': {
        'nginx.conf':
          'server {\n  # finds: server.nginx-metrics-public\n  location = /nginx_status { stub_status; }\n}\n',
      },
    },
  },
  'server.nginx-headers-lost': {
    passing: {
      'nothing of the kind': {
        'nginx.conf':
          'server {\n  add_header X-Served-By a;\n  location / { add_header Cache-Control x; }\n}\n',
      },
    },
    failing: {},
  },
  'server.nginx-server-tokens': {
    passing: {
      'off for all, and no server': {
        'nginx.conf':
          'http {\n  server_tokens off;\n  upstream a {\n    server b:80;\n  }\n  server {\n    listen 80;\n  }\n}\n',
      },
    },
    failing: {},
  },
}
