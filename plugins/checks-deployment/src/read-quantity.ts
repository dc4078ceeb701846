const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
}

/** An amount of memory as compose (`512m`, `1GB`, in powers of two) and Kubernetes (`512Mi`, `1G`) write it. */
export function readBytes(text: string | null, kind: 'compose' | 'kubernetes'): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text ?? '')
  if (match === null) return null
  const unit =
    kind === 'compose' ? match[2]!.toLowerCase().replace(/^([kmgt])i?b?$/, '$1i') : match[2]!.toLowerCase()
  // Thousandths of a byte.
  if (kind === 'kubernetes' && match[2] === 'm') return Number(match[1]) / 1000
  const factor = UNITS[unit]
  return factor === undefined ? null : Number(match[1]) * factor
}

/** Processors: `0.5`, `500m`. */
export function readCpus(text: string | null): number | null {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text ?? '')
  return match === null ? null : Number(match[1]) / (match[2] === 'm' ? 1000 : 1)
}
