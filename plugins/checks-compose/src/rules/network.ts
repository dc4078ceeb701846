import { composeFiles, defineRule } from '@havn/checklist'
import type { ComposePort, ComposeService } from '@havn/checklist'
import { storeOf } from '../known-images.ts'
import { productionServices, whereItStays } from '../walk.ts'

const docs = { language: 'yaml' }
const needs = { composeFiles }

/** Published on addresses that others can reach; Docker goes past the host's own firewall there. */
function openPorts(service: ComposeService): ComposePort[] {
  return service.ports.filter(
    ({ hostIp, published, place }) =>
      published !== null &&
      (hostIp === null || hostIp === '0.0.0.0' || hostIp === '::') &&
      place.file === service.file.source.file,
  )
}

export const databasePublished = defineRule({
  id: 'compose.database-published',
  title: 'A database can be reached from outside',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Take its ports out: services reach it by its name. For a look from the host, write 127.0.0.1:5432:5432.',
  references: ['KICS 451d79dc', 'https://docs.docker.com/engine/network/packet-filtering-firewalls/'],
  docs: {
    ...docs,
    what: 'Finds published ports of databases, caches and queues on all addresses; a note where the file does not say that it stays up.',
    why: "Docker's own rules come before those of ufw and firewalld: it is open to the internet, and found within hours.",
    bad: 'services:\n  db:\n    image: postgres:17\n    restart: always\n    ports: ["5432:5432"]\n',
    good: 'services:\n  db:\n    image: postgres:17\n    restart: always\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles)) {
      const store = storeOf(service) ?? (service.base === null ? null : storeOf(service.base))
      for (const { target, published, place } of openPorts(service))
        if (store?.ports.includes(target) === true)
          report({
            message: `Port ${published} of all addresses leads to ${store.name}.`,
            place,
            resource: service.resource,
            severity: whereItStays(service, 'warn'),
          })
    }
  },
})

export const portOnAllAddresses = defineRule({
  id: 'compose.port-on-all-addresses',
  title: 'A port is published on all addresses',
  severity: 'info',
  confidence: 'certain',
  hint: 'Behind a proxy on the same host, write 127.0.0.1:8000:8000; the proxy alone wants 80 and 443.',
  references: ['KICS 451d79dc', 'CIS Docker 5.14'],
  docs: {
    ...docs,
    what: 'Finds published ports without an address, apart from 80 and 443, and from databases, which have a rule of their own.',
    why: 'The app can be reached past the proxy, without TLS and with headers that the proxy would have set.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    ports: ["8000:8000"]\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    ports: ["127.0.0.1:8000:8000"]\n',
  },
  needs,
  check({ facts, report }) {
    for (const service of productionServices(facts.composeFiles)) {
      const store = storeOf(service)
      for (const { target, published, place } of openPorts(service)) {
        if (published === '80' || published === '443' || store?.ports.includes(target) === true) continue
        report({ message: `Port ${published} is open on all addresses.`, place, resource: service.resource })
      }
    }
  },
})

export const links = defineRule({
  id: 'compose.links',
  title: 'Services are linked in the old way',
  severity: 'info',
  confidence: 'certain',
  hint: 'Take links out: services of a network know each other by name. Their order is for depends_on.',
  references: ['https://docs.docker.com/engine/network/links/'],
  docs: {
    ...docs,
    what: 'Finds `links` and `external_links`.',
    why: 'They are a legacy feature that may be removed; networks do the same.',
    bad: 'services:\n  web:\n    image: shop:1.4\n    links: [db]\n  db:\n    image: postgres:17\n',
    good: 'services:\n  web:\n    image: shop:1.4\n    depends_on: [db]\n  db:\n    image: postgres:17\n',
  },
  needs,
  check({ facts, report }) {
    for (const { node, resource } of productionServices(facts.composeFiles))
      for (const key of ['links', 'external_links']) {
        const found = node.entry(key)
        if (found !== null) report({ message: `It has ${key}.`, place: found.keyPlace, resource })
      }
  },
})
