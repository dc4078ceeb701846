import type { Dockerfile } from '../dockerfile/dockerfile.ts'
import { givenVariables } from '../kubernetes/given-variables.ts'
import type { KubernetesObject, PodContainer } from '../kubernetes/manifests.ts'
import type { CommandReader } from './command-reader.ts'
import { readStage } from './from-dockerfiles.ts'
import { isDevelopmentName } from './is-development.ts'
import type { CommandOrigin, ServerCommand } from './server-command.ts'

/** Images that are not made of the project's Dockerfile. */
const FOREIGN =
  /(?:^|\/)(?:postgres|postgresql|postgis|redis|valkey|nginx|nginx-unprivileged|httpd|caddy|traefik|haproxy|envoy|rabbitmq|memcached|mysql|mariadb|mongo|elasticsearch|opensearch|minio|busybox|alpine|debian|ubuntu|curl|pgbouncer|cloud-sql-proxy|gce-proxy|prometheus|grafana|statsd-exporter|celery-exporter|oauth2-proxy|fluent-bit|fluentd|vault|adminer|pgadmin4|flower|mailhog|mailpit|mailcatcher|cloudflared|external-dns|kube-rbac-proxy|agnhost|certbot|git-sync)$/
/** Registries of parts of clusters. */
const OF_CLUSTERS = /^(?:registry\.k8s\.io|k8s\.gcr\.io|gcr\.io\/kubebuilder|docker\.elastic\.co)\//
/** Databases and brokers with something in them: `elasticsearch-analysis-ik`, `redis-stack-server`. */
const EXTENDED =
  /(?:^|\/)(?:postgres|postgresql|postgis|redis|valkey|elasticsearch|opensearch|mongo|mongodb|mysql|mariadb|rabbitmq|memcached|kafka|zookeeper)[-_][\w.-]+$/

/** The servers that containers start: by commands of their own, or by what the project's only image starts. */
export async function fromManifests(
  reader: CommandReader,
  objects: readonly KubernetesObject[],
  dockerfiles: readonly Dockerfile[],
): Promise<ServerCommand[]> {
  const images = dockerfiles.filter(({ source }) => !isDevelopmentName(source.file))
  const found: ServerCommand[] = []
  for (const object of objects)
    for (const container of object.pods?.containers ?? []) {
      const { source } = object
      const dockerfile = images.length === 1 && isOwn(container) ? images[0]! : null
      const origin: CommandOrigin = {
        kind: 'kubernetes',
        file: source.file,
        resource: object.resource,
        isDevelopment: isDevelopmentName(source.file) || isDevelopmentName(object.namespace ?? ''),
        isContainer: true,
        dockerfile,
        stage: dockerfile?.final ?? null,
        service: null,
        pod: { object, container },
      }
      const environment = givenVariables(object, container, objects).variables
      const entrypoint = container.command.length > 0 ? container.command : null
      const command = container.args.length > 0 ? container.args : null
      found.push(...(await readStage(reader, { origin, environment, entrypoint, command })))
    }
  return found
}

function isOwn({ imageReference }: PodContainer): boolean {
  if (imageReference === null) return false
  return ![FOREIGN, EXTENDED, OF_CLUSTERS].some((foreign) => foreign.test(imageReference.name))
}
