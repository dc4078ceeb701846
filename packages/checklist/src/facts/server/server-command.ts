import type { SourcePlace } from '@havn/plugin-api'
import type { ComposeService } from '../compose/compose-service.ts'
import type { Dockerfile, DockerStage } from '../dockerfile/dockerfile.ts'
import type { KubernetesObject, PodContainer } from '../kubernetes/manifests.ts'

/** What serves, or runs beside what serves. */
export type ServerName =
  | 'gunicorn'
  | 'uvicorn'
  | 'hypercorn'
  | 'daphne'
  | 'granian'
  | 'uwsgi'
  | 'waitress'
  | 'runserver'
  | 'flask'
  | 'fastapi'
  | 'celery'
  | 'python'
  | 'node'
  | 'nodemon'
  | 'ts-node'
  | 'next'
  | 'nest'
  | 'pm2'
  | 'bundler'
  | 'npm'

/** One option of a server. */
export interface ServerOption {
  /**
   * As gunicorn calls it, where a server has what gunicorn has, and as the server itself does otherwise: `workers`,
   * `graceful-timeout`, `need-app`. A list of the first ones stands at {@link CommonOption}.
   */
  name: string
  /** As it is written there: `-w`, `--processes`, `worker_class`. */
  spelling: string
  /** Variables put in as far as they are known; `true` for a flag; null where the program computes it. */
  value: string | null
  place: SourcePlace
  from: 'argument' | 'environment' | 'file'
}

/** Names of options that several servers have: their values are in seconds, counts or addresses, whatever the server. */
export type CommonOption =
  | 'bind'
  | 'host'
  | 'port'
  | 'workers'
  | 'threads'
  | 'worker-class'
  | 'timeout'
  | 'graceful-timeout'
  | 'keepalive'
  | 'reload'
  | 'debug'
  | 'forwarded-allow-ips'
  | 'access-log'
  | 'access-log-format'
  | 'error-log'
  | 'max-requests'
  | 'max-requests-jitter'
  | 'preload'
  | 'worker-tmp-dir'
  | 'user'

/** A variable that the deployment sets for a command. */
export interface SetVariable {
  /** Null where it is known to be set, and not to what. */
  value: string | null
  place: SourcePlace
}

/** What starts a command. */
export interface CommandOrigin {
  kind: 'dockerfile' | 'compose' | 'kubernetes' | 'procfile' | 'package' | 'systemd' | 'supervisor'
  file: string
  /** Of what the file holds: `services.web`, `Deployment/web`, `web`, `start`. */
  resource: string | null
  /** By names, and by how it is used: it is not what goes to production. */
  isDevelopment: boolean
  isContainer: boolean
  /** The image that it runs in, where its Dockerfile is in the project. */
  dockerfile: Dockerfile | null
  /** The stage of it that runs. */
  stage: DockerStage | null
  /** What compose runs it as. */
  service: ComposeService | null
  /** What Kubernetes runs it as. */
  pod: { object: KubernetesObject; container: PodContainer } | null
}

/** A command that starts a server. */
export interface ServerCommand {
  server: ServerName
  /** `shop.wsgi:application`, `server.js`, a script of package.json; null where none is named. */
  app: ServerOption | null
  /** Of the command, its arguments included. */
  place: SourcePlace
  origin: CommandOrigin
  /** What led to it, the outermost first: the `CMD` of the script that it is in. */
  via: readonly SourcePlace[]
  /** Programs that run it: `poetry`, `tini`, `newrelic-admin`. */
  wrappers: readonly string[]
  /** In the order in which the server takes them: the last one of a name wins, save for what may be there many times. */
  options: readonly ServerOption[]
  environment: ReadonlyMap<string, SetVariable>
  /** Names of functions that its configuration file defines: `post_fork`. */
  hooks: readonly string[]
  /** It comes with the image: another command of the fact has it, too. */
  isInherited: boolean
}

/** An address that a server listens on. */
export interface ServerBind {
  /** Null for a Unix socket; `*` for all addresses. */
  host: string | null
  /** Null where it is not known, and for a Unix socket. */
  port: number | null
  /** Where it is written; the command itself for what the server does by itself. */
  place: SourcePlace
  isDefault: boolean
}
