import type { ImageReference } from './parse-image.ts'

/** Last days of security fixes, by the version that a tag begins with. */
const PYTHON = {
  '2': '2020-01-01',
  '3.5': '2020-09-30',
  '3.6': '2021-12-23',
  '3.7': '2023-06-27',
  '3.8': '2024-10-07',
  '3.9': '2025-10-31',
  '3.10': '2026-10-31',
  '3.11': '2027-10-31',
  '3.12': '2028-10-31',
  '3.13': '2029-10-31',
}
const NODE = {
  '10': '2021-04-30',
  '12': '2022-04-30',
  '14': '2023-04-30',
  '15': '2021-06-01',
  '16': '2023-09-11',
  '17': '2022-06-01',
  '18': '2025-04-30',
  '19': '2023-06-01',
  '20': '2026-04-30',
  '21': '2024-06-01',
  '22': '2027-04-30',
  '23': '2025-06-01',
  '24': '2028-04-30',
}
/** With long-term support, which covers what images hold. */
const DEBIAN = {
  '8': '2020-06-30',
  '9': '2022-06-30',
  '10': '2024-06-30',
  '11': '2026-08-31',
  '12': '2028-06-30',
  '13': '2030-06-30',
  jessie: '2020-06-30',
  stretch: '2022-06-30',
  buster: '2024-06-30',
  bullseye: '2026-08-31',
  bookworm: '2028-06-30',
}
const UBUNTU = {
  '14.04': '2019-04-25',
  '16.04': '2021-04-30',
  '18.04': '2023-05-31',
  '20.04': '2025-05-31',
  '22.04': '2027-04-01',
  '23.10': '2024-07-11',
  '24.04': '2029-05-31',
  '24.10': '2025-07-10',
  trusty: '2019-04-25',
  xenial: '2021-04-30',
  bionic: '2023-05-31',
  focal: '2025-05-31',
  jammy: '2027-04-01',
}
const ALPINE = {
  '3.14': '2023-05-01',
  '3.15': '2023-11-01',
  '3.16': '2024-05-23',
  '3.17': '2024-11-22',
  '3.18': '2025-05-09',
  '3.19': '2025-11-01',
  '3.20': '2026-04-01',
  '3.21': '2026-11-01',
  '3.22': '2027-05-01',
}
const POSTGRES = {
  '10': '2022-11-10',
  '11': '2023-11-09',
  '12': '2024-11-21',
  '13': '2025-11-13',
  '14': '2026-11-12',
  '15': '2027-11-11',
}
/** Official images alone: what others call so is theirs. */
const LISTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  python: PYTHON,
  node: NODE,
  debian: DEBIAN,
  ubuntu: UBUNTU,
  alpine: ALPINE,
  postgres: POSTGRES,
}

/** The last day of security fixes (`2024-06-30`); null where it is not known. */
export function endOfLife({ name, tag }: ImageReference): string | null {
  const official = name.replace(/^(?:docker\.io\/)?(?:library\/)?/, '')
  const list = Object.hasOwn(LISTS, official) ? LISTS[official]! : null
  if (list === null || tag === null) return null
  const [version] = tag.split('-') as [string]
  // `3.7.2` is of 3.7, and `18.20` of 18.
  for (let part = version; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.'))))
    if (Object.hasOwn(list, part)) return list[part]!
  return null
}

/** What has had its last day (`2024-06-30`): that day, or null while it lasts, and where it is not known. */
export function endedOn(last: string | null | undefined, today = isoDay(new Date())): string | null {
  return last != null && last < today ? last : null
}

function isoDay(date: Date): string {
  return date.toISOString().slice(0, 10)
}
