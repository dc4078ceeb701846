import type { Cases } from './files.ts'
import { WEB, compose, deployment, django, found, hosts, image } from './files.ts'

const fromVariables = ["ALLOWED_HOSTS = os.environ.get('HOSTS', 'localhost').split(',')"]
const probe = ['livenessProbe: { httpGet: { path: /, port: 8000 } }']
const configMap = (...data: string[]) =>
  [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata: { name: web }',
    'data:',
    ...data.map((line) => `  ${line}`),
    '',
  ].join('\n')

export const probesCases: Readonly<Record<string, Cases>> = {
  'deployment.probe-host-refused': {
    passing: {
      'a Host header that is allowed': {
        ...django(...hosts),
        ...deployment(
          [],
          [
            'readinessProbe:',
            '  httpGet: { path: /, port: 8000, httpHeaders: [{ name: Host, value: shop.test }] }',
          ],
        ),
      },
      'all hosts': {
        ...django("ALLOWED_HOSTS = ['*']", 'DEBUG = False'),
        ...deployment([], ['livenessProbe: { httpGet: { path: /, port: 8000 } }']),
      },
      'a port alone, and what answers before': {
        ...django(...hosts, "MIDDLEWARE = ['shop.HealthCheckMiddleware']"),
        ...deployment(
          [],
          [
            'livenessProbe: { httpGet: { path: /, port: 8000 } }',
            'startupProbe: { tcpSocket: { port: 8000 } }',
          ],
        ),
      },
      'hosts that the environment names': {
        ...django("ALLOWED_HOSTS = os.environ.get('HOSTS', 'a.test').split(',')", 'DEBUG = False'),
        ...deployment([], ['livenessProbe: { httpGet: { path: /, port: 8000 } }']),
      },
      'hosts of a ConfigMap that an overlay changes, and those of a Secret': {
        ...django(...fromVariables),
        ...deployment([], ['envFrom: [{ configMapRef: { name: web } }]', ...probe]),
        'k8s/config.yaml': configMap('HOSTS: shop.test'),
        'k8s/dev/config.yaml': configMap('HOSTS: "*"'),
        'other/web.yaml': deployment([], ['envFrom: [{ secretRef: { name: web } }]', ...probe])[
          'k8s/web.yaml'
        ],
      },
      'other settings than those that were read': {
        ...django(...hosts),
        ...deployment([], ['env: [{ name: DJANGO_SETTINGS_MODULE, value: shop.live }]', ...probe]),
      },
    },
    failing: {
      'hosts of a ConfigMap beside it': {
        ...django(...fromVariables),
        ...deployment(
          [],
          [
            'envFrom: [{ configMapRef: { name: web } }]',
            'livenessProbe:',
            '  httpGet:',
            '    path: /',
            `    ${found('probe-host-refused')}`,
            '    port: 8000',
          ],
        ),
        'k8s/config.yaml': configMap('HOSTS: "shop.test,localhost"'),
      },
      'hosts of a key of a ConfigMap, in a service of compose, and where nothing else is set': {
        ...django(...fromVariables),
        ...deployment(
          [],
          [
            'env: [{ name: HOSTS, valueFrom: { configMapKeyRef: { name: web, key: hosts } } }]',
            'livenessProbe:',
            '  httpGet:',
            '    path: /',
            `    ${found('probe-host-refused')}`,
            '    port: 8000',
          ],
        ),
        'k8s/config.yaml': configMap('hosts: shop.test shop.example'),
        ...compose(
          ...WEB,
          '  environment: { HOSTS: shop.test }',
          '  healthcheck:',
          `    ${found('probe-host-refused')}`,
          '    test: ["CMD", "curl", "-f", "http://localhost:8000/"]',
        ),
      },
      "the pod's address": {
        ...django(...hosts),
        ...deployment(
          [],
          [
            'livenessProbe:',
            '  httpGet:',
            '    path: /',
            `    ${found('probe-host-refused')}`,
            '    port: 8000',
          ],
        ),
      },
      'localhost in compose, and in the image': {
        ...django(...hosts),
        ...compose(
          ...WEB,
          '  healthcheck:',
          `    ${found('probe-host-refused')}`,
          '    test: ["CMD", "curl", "-f", "http://localhost:8000/"]',
        ),
        ...image(
          found('probe-host-refused'),
          'HEALTHCHECK CMD curl -f http://127.0.0.1:8000/ || exit 1',
          'CMD ["gunicorn", "shop.wsgi", "--bind", ":8000"]',
        ),
      },
    },
  },
  'deployment.health-tool-missing': {
    passing: {
      'installed, and another program': {
        'a/Dockerfile':
          'FROM python:3.13-slim\nRUN apt-get update && apt-get install -y curl\nHEALTHCHECK CMD curl http://localhost/\nCMD ["gunicorn", "a:b"]\n',
        'b/Dockerfile': 'FROM python:3.13\nHEALTHCHECK CMD curl http://localhost/\nCMD ["gunicorn", "a:b"]\n',
        'c/Dockerfile':
          'FROM python:3.13-alpine\nHEALTHCHECK CMD wget -q http://localhost/\nCMD ["gunicorn", "a:b"]\n',
      },
    },
    failing: {
      'a slim image': image(
        found('health-tool-missing'),
        'HEALTHCHECK CMD ["curl", "-f", "http://localhost:8000/"]',
        'CMD ["gunicorn", "a:b"]',
      ),
      'through compose': {
        ...image('CMD ["gunicorn", "a:b"]'),
        ...compose(
          'web:',
          '  build: .',
          '  healthcheck:',
          `    ${found('health-tool-missing')}`,
          '    test: wget -q http://localhost:8000/',
        ),
      },
    },
  },
  'deployment.port-unserved': {
    passing: {
      'the same, one of several, one that is not known': {
        ...compose(
          ...WEB,
          '  ports: ["80:8000", "9100:9100"]',
          'other:',
          '  image: x:1',
          '  command: gunicorn a:b --bind 0.0.0.0:$PORT',
          '  ports: ["81:80"]',
        ),
      },
      'a proxy': compose('web:', '  image: nginx:1', '  ports: ["80:80"]'),
    },
    failing: {
      compose: compose(...WEB, '  ports:', `    ${found('port-unserved')}`, '    - "80:80"'),
      'a probe of Kubernetes': deployment(
        [],
        [
          'ports: [{ containerPort: 8000 }]',
          'livenessProbe:',
          '  httpGet:',
          '    path: /',
          `    ${found('port-unserved')}`,
          '    port: 8080',
        ],
      ),
    },
  },
  'deployment.expose-other-port': {
    passing: {
      'the same': image('EXPOSE 8000 9000', 'CMD ["gunicorn", "a:b", "--bind", ":8000"]'),
      'what only other files say': image('EXPOSE 80', 'CMD ["gunicorn", "a:b"]'),
    },
    failing: {
      another: image(found('expose-other-port'), 'EXPOSE 80', 'CMD ["gunicorn", "a:b", "--bind", ":8000"]'),
    },
  },
}
