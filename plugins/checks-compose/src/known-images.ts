import type { ComposeService } from '@havn/checklist'

/** What keeps data, by the last part of its image's name; with the port that it listens on. */
const STORES: Readonly<Record<string, { ports: readonly string[]; isDatabase: boolean }>> = {
  postgres: { ports: ['5432'], isDatabase: true },
  postgresql: { ports: ['5432'], isDatabase: true },
  postgis: { ports: ['5432'], isDatabase: true },
  timescaledb: { ports: ['5432'], isDatabase: true },
  pgvector: { ports: ['5432'], isDatabase: true },
  mysql: { ports: ['3306'], isDatabase: true },
  mariadb: { ports: ['3306'], isDatabase: true },
  mongo: { ports: ['27017'], isDatabase: true },
  redis: { ports: ['6379'], isDatabase: false },
  valkey: { ports: ['6379'], isDatabase: false },
  memcached: { ports: ['11211'], isDatabase: false },
  elasticsearch: { ports: ['9200', '9300'], isDatabase: true },
  opensearch: { ports: ['9200', '9300'], isDatabase: true },
  rabbitmq: { ports: ['5672', '15672'], isDatabase: false },
  clickhouse: { ports: ['8123', '9000'], isDatabase: true },
  cassandra: { ports: ['9042'], isDatabase: true },
  influxdb: { ports: ['8086'], isDatabase: true },
}
/** Official images that say nothing about their health. */
const WITHOUT_HEALTHCHECK = new Set([
  'postgres',
  'mysql',
  'mariadb',
  'mongo',
  'redis',
  'memcached',
  'rabbitmq',
  'nginx',
  'httpd',
  'caddy',
  'haproxy',
  'traefik',
  'python',
  'node',
  'php',
  'ruby',
  'golang',
  'alpine',
  'busybox',
  'debian',
  'ubuntu',
])

export interface Store {
  name: string
  /** Of the container. */
  ports: readonly string[]
  /** It keeps what must not be lost, not a cache or a queue. */
  isDatabase: boolean
}

/** The database, cache or queue that a service is; null for all others. */
export function storeOf(service: ComposeService): Store | null {
  const name = shortName(service)
  return name !== null && Object.hasOwn(STORES, name) ? { name, ...STORES[name]! } : null
}

export function isOfficialWithoutHealthcheck(service: ComposeService): boolean {
  const name = service.imageReference?.name.replace(/^(?:docker\.io\/)?(?:library\/)?/, '') ?? ''
  return WITHOUT_HEALTHCHECK.has(name)
}

function shortName({ imageReference, build }: ComposeService): string | null {
  return imageReference === null || build !== null
    ? null
    : imageReference.name.split('/').at(-1)!.toLowerCase()
}
