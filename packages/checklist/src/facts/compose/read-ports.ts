import type { YamlNode } from '../yaml/yaml-node.ts'
import type { ComposePort } from './compose.ts'
import { readText } from './read-text.ts'

const SHORT = /^(?:(?:(\[[0-9a-f:.%]+\]|[^:[\]]*):)?([\d-]*):)?(\d+(?:-\d+)?)(?:\/(\w+))?$/i

/** `ports:`. What Compose would not take, or a variable in it hides, is left out. */
export function readPorts(node: YamlNode | null, variables: ReadonlyMap<string, string>): ComposePort[] {
  return (node?.items() ?? []).flatMap((item) => {
    const port = item.isMap ? readLong(item, variables) : readShort(item, variables)
    return port === null ? [] : [{ ...port, place: item.place }]
  })
}

type Port = Omit<ComposePort, 'place'>

function readShort(item: YamlNode, variables: ReadonlyMap<string, string>): Port | null {
  const match = SHORT.exec(withoutUnknown(readText(item, variables)?.text ?? ''))
  if (match === null) return null
  const [, hostIp = '', published = '', target, protocol = 'tcp'] = match
  return {
    hostIp: hostIp.replace(/^\[|\]$/g, '') || null,
    published: published || null,
    target: target!,
    protocol: protocol.toLowerCase(),
  }
}

/** A host's port that only the machine knows is still published: `${PORT}:8000`. */
function withoutUnknown(text: string): string {
  return text.replace(/^\$\{?\w+\}?:(?=\d)/, '0:')
}

function readLong(item: YamlNode, variables: ReadonlyMap<string, string>): Port | null {
  const text = (key: string) => {
    const node = item.at(key)
    return (node === null ? null : readText(node, variables)?.text) || null
  }
  const target = text('target')
  if (target === null) return null
  return {
    hostIp: text('host_ip'),
    published: text('published'),
    target,
    protocol: (text('protocol') ?? 'tcp').toLowerCase(),
  }
}
