import type { Cases } from './files.ts'
import { WEB, compose, deployment, found, nginx } from './files.ts'

/** A Service of the Deployment; lines of its only port. */
const service = (...lines: string[]) => ({
  'k8s/service.yaml': [
    'apiVersion: v1',
    'kind: Service',
    'metadata: { name: web }',
    'spec:',
    '  selector: { app: web }',
    '  ports:',
    '    - port: 80',
    ...lines.map((line) => `      ${line}`),
    '',
  ].join('\n'),
})

export const portsCases: Readonly<Record<string, Cases>> = {
  'deployment.service-port-unserved': {
    passing: {
      'by number and by name': {
        ...deployment([], ['ports: [{ name: http, containerPort: 8000 }]']),
        ...service('targetPort: 8000'),
        'k8s/other.yaml':
          'apiVersion: v1\nkind: Service\nmetadata: { name: other }\nspec: { selector: { app: web }, ports: [{ port: 1, targetPort: http }] }\n',
      },
      'other pods, and another protocol': {
        ...deployment(),
        ...service('targetPort: 53', 'protocol: UDP'),
        'k8s/other.yaml':
          'apiVersion: v1\nkind: Service\nmetadata: { name: other }\nspec: { selector: { app: x }, ports: [{ port: 1 }] }\n',
      },
    },
    failing: {
      'pods that list no ports': {
        ...deployment(),
        ...service(found('service-port-unserved'), 'targetPort: 8080'),
      },
      'no targetPort': {
        ...deployment(),
        'k8s/service.yaml': [
          'apiVersion: v1',
          'kind: Service',
          'metadata: { name: web }',
          'spec:',
          '  selector: { app: web }',
          '  ports:',
          `    ${found('service-port-unserved')}`,
          '    - port: 80',
          '',
        ].join('\n'),
      },
      'one of several that are listed': {
        ...deployment([], ['ports: [{ containerPort: 8000 }, { name: web, containerPort: 9000 }]']),
        ...service(found('service-port-unserved'), 'targetPort: web'),
      },
    },
  },
  'deployment.proxy-port-unserved': {
    passing: {
      'the port of the container': {
        ...compose(...WEB, '  ports: ["80:8000"]'),
        ...nginx(
          'upstream app { server web:8000; }',
          'server {',
          '  location / { proxy_pass http://app; }',
          '  location /x/ { proxy_pass http://web:8000/y/; }',
          '  location /z/ { proxy_pass http://other; }',
          '}',
        ),
      },
      'what is not known': {
        ...compose('web:', '  image: shop:1'),
        ...nginx('server {', '  location / { proxy_pass http://web; }', '}'),
      },
    },
    failing: {
      'the port of the host, and none': {
        ...compose(...WEB, '  ports: ["9000:8000"]'),
        ...nginx(
          'upstream app {',
          `  ${found('proxy-port-unserved')}`,
          '  server web:9000;',
          '}',
          'server {',
          '  location / {',
          `    ${found('proxy-port-unserved')}`,
          '    proxy_pass http://web/;',
          '  }',
          '}',
        ),
      },
    },
  },
  'deployment.privileged-port': {
    passing: {
      'root, or an engine that lets it': compose(
        'web:',
        '  image: shop:1',
        '  command: gunicorn shop.wsgi --bind 0.0.0.0:80',
        '  user: "1000"',
        'root:',
        '  image: shop:1',
        '  command: gunicorn shop.wsgi --bind 0.0.0.0:80',
        '  network_mode: host',
      ),
      'a sysctl of the pod': {
        'k8s/pod.yaml': [
          'apiVersion: v1',
          'kind: Pod',
          'metadata: { name: web }',
          'spec:',
          '  securityContext:',
          '    runAsUser: 1000',
          '    sysctls: [{ name: net.ipv4.ip_unprivileged_port_start, value: "0" }]',
          '  containers: [{ name: web, image: "shop:1", args: [gunicorn, shop.wsgi, --bind, "0.0.0.0:80"] }]',
          '',
        ].join('\n'),
      },
      'a port that is free': deployment([], ['securityContext: { runAsUser: 1000 }']),
    },
    failing: {
      'a pod': {
        'k8s/pod.yaml': [
          'apiVersion: v1',
          'kind: Pod',
          'metadata: { name: web }',
          'spec:',
          '  securityContext: { runAsNonRoot: true }',
          '  containers:',
          '    - name: web',
          '      image: shop:1',
          `      ${found('privileged-port')}`,
          '      args: [gunicorn, shop.wsgi, --bind, "0.0.0.0:80"]',
          '',
        ].join('\n'),
      },
      'the network of the host': {
        Dockerfile: 'FROM python:3.13-slim\nUSER app\nCMD ["gunicorn", "shop.wsgi"]\n',
        ...compose(
          'web:',
          '  build: .',
          '  network_mode: host',
          `  ${found('privileged-port')}`,
          '  command: gunicorn shop.wsgi --bind 0.0.0.0:80',
        ),
      },
    },
  },
}
