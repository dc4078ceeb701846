import { defineFact, requirements } from '@havn/checklist'

/** Django as the project asks for it. */
export interface WantedDjango {
  /** The highest release series that any of its files allows; null where none says. */
  major: number | null
}

/** The version of Django that the project needs: checks run with the one that this machine has. */
export const wantedDjango = defineFact<WantedDjango>({
  id: 'wanted-django',
  title: 'Version of Django that the project wants',
  async collect({ get }) {
    const majors = ((await get(requirements)) ?? [])
      .filter(({ language, name }) => language === 'python' && name === 'django')
      .map(({ version, specifier }) => version ?? highestOf(specifier))
      .map((version) => (version === null ? Infinity : Number.parseInt(version, 10)))
    const major = Math.max(...majors)
    return { major: Number.isFinite(major) ? major : null }
  },
})

/** `>=2.2,<3`: below 3; `~=3.2.1`: 3. Null where it has no end. */
function highestOf(specifier: string): string | null {
  const below = /<\s*(\d+)((?:\.0)*)(?=,|$|\s)/.exec(specifier)
  if (below !== null) return String(Number(below[1]) - 1)
  return /(?:<=?|~=|==)\s*(\d[\d.]*)/.exec(specifier)?.[1] ?? null
}
