import { relative } from 'node:path'
import type { ChosenSettings, SourcePlace } from '@havn/plugin-api'
import { DJANGO_DEFAULTS } from './django-defaults.ts'
import type { DjangoFailure, DjangoProject } from './django-project.ts'
import type { AssignmentReport, BootReport, DjangoReport, FailureReport } from './django-report.ts'
import type { DjangoSetting, SettingAssignment, SettingValue } from './django-setting.ts'
import type { ServedVariables } from './served-variables.ts'

type Span = AssignmentReport['place']

/** Makes of what the child says what rules read. Pure. */
export function readReport(input: {
  /** Absolute path of the tree. */
  root: string
  directory: string
  chosen: ChosenSettings
  report: DjangoReport
  /** That the deployment names. */
  environment: Readonly<Record<string, string>>
  served: ServedVariables
}): DjangoProject {
  const { root, directory, chosen, report, environment, served } = input
  const places = new Places(root)
  const { boot, text } = report
  const settings = boot?.settings ?? null
  const fakes = boot?.fakes ?? []
  const known = new Map<string, DjangoSetting | null>()
  const silenced = (settings ?? report.static)?.['SILENCED_SYSTEM_CHECKS']?.value

  function find(name: string): DjangoSetting | null {
    const booted = settings?.[name]
    const read = settings === null ? report.static?.[name] : undefined
    const reports = text.assignments[name] ?? []
    // What is assigned somewhere, and not understood, is unknown: never Django's default.
    const isDefault = booted?.isDefault ?? (reports.length === 0 && text.isComplete)
    const value = booted ?? read ?? (settings === null && isDefault ? DJANGO_DEFAULTS[name] : undefined)
    if (value === undefined) return null
    const assignments = reports.flatMap((each) => toAssignment(each, places))
    const variables = new Set(reports.flatMap((each) => each.variables))
    const others = [...variables].filter((variable) => environment[variable] === undefined)
    const undecidedBy = others.filter((variable) => !served.given.has(variable))
    return {
      name,
      value: value.value as SettingValue,
      type: value.type,
      isDefault,
      isFake:
        value.fake ||
        undecidedBy.some((variable) => fakes.includes(variable)) ||
        // Of a whole such as DATABASES they decide a part, and the rest is as it is written.
        (value.type !== 'dict' && undecidedBy.some((variable) => served.varying.has(variable))),
      undecidedBy,
      decidedBy: others.flatMap((variable) => {
        const given = served.given.get(variable)
        return given === undefined ? [] : [{ name: variable, place: given.place }]
      }),
      confidence: settings === null ? 'likely' : 'certain',
      place: choosePlace(assignments, value.value as SettingValue),
      assignments,
    }
  }

  return {
    directory,
    chosen: { ...chosen, module: chosen.module ?? boot?.module ?? null },
    reading: settings !== null ? 'booted' : text.files.length > 0 ? 'static' : 'none',
    notBootedBecause: whyNotBooted(report, chosen),
    pythonVersion: report.python,
    djangoVersion: report.django,
    settingsFile: text.files.map((file) => places.fileOf(file))[0] ?? null,
    files: text.files.flatMap((file) => places.fileOf(file) ?? []),
    failure: boot?.failure ? toFailure(boot.failure, places) : null,
    fakes,
    apps: boot?.apps ?? null,
    messages: boot?.messages?.map(({ line, ...each }) => ({ ...each, place: places.ofLine(line) })) ?? null,
    urls: boot?.urls ? toUrls(boot.urls, places) : null,
    missingMigrations:
      boot?.missingMigrations?.flatMap(({ file, ...each }) => {
        const inTree = places.fileOf(file)
        return inTree === null ? [] : [{ ...each, file: inTree }]
      }) ?? null,
    environmentFileCalls: text.calls.flatMap(({ name, file, place }) => {
      const found = places.of(file, place)
      return found === null ? [] : [{ name, place: found }]
    }),
    isSilenced: (id) => Array.isArray(silenced) && silenced.includes(id),
    setting(name) {
      let setting = known.get(name)
      if (setting === undefined) known.set(name, (setting = find(name)))
      return setting
    },
  }
}

function whyNotBooted({ django, boot }: DjangoReport, { module }: ChosenSettings): string | null {
  if (boot?.settings) return null
  if (django === null) return 'this Python does not have Django'
  const failure = boot?.failure
  if (!failure) return 'they did not boot'
  if (failure.missingModule !== null) return `this Python does not have ${failure.missingModule}`
  if (module === null && failure.message.includes('DJANGO_SETTINGS_MODULE')) return 'nothing names them'
  if (failure.reason === 'network') return 'they want the network as they load'
  if (failure.reason === 'writing') return 'they change files as they load'
  return 'they do not boot'
}

function toFailure(failure: FailureReport, places: Places): DjangoFailure {
  const { stage, reason, type, message, traceback, missingModule, frames } = failure
  const [first = ''] = message.split('\n')
  const summary = first === '' ? type : reason === 'raised' ? `${type}: ${first}` : first
  const place = frames
    .toReversed()
    .map((line) => places.ofLine(line))
    .find((each) => each !== null)
  return { stage, reason, summary, traceback, missingModule, place: place ?? null }
}

function toUrls(urls: NonNullable<BootReport['urls']>, places: Places): DjangoProject['urls'] {
  const file = urls.file === null ? null : places.fileOf(urls.file)
  const texts = urls.routes ?? []
  const routes = urls.patterns.map((pattern) => {
    const written = texts.find(({ route, function: name }) =>
      pattern.view === null ? route === pattern.route : name === 'static' || route === pattern.route,
    )
    const place = written && urls.file !== null ? places.of(urls.file, written.place) : null
    return { ...pattern, place }
  })
  return { file, routes, healthPaths: urls.health }
}

function toAssignment(report: AssignmentReport, places: Places): SettingAssignment[] {
  const { file, origin, isChange, hasTextDefault } = report
  const place = places.of(file, report.place)
  if (place === null) return []
  const at = (span: Span) => places.of(file, span)!
  const strings = report.strings.map(([text, span]) => ({ text, place: at(span) }))
  const keys = Object.fromEntries(Object.entries(report.keys).map(([path, span]) => [path, at(span)]))
  const value = report.value?.value as SettingValue | undefined
  return [{ place, isChange, origin, hasTextDefault, strings, keys, value }]
}

/** The last assignment of this very value, or else the last one. */
function choosePlace(assignments: readonly SettingAssignment[], value: SettingValue): SourcePlace | null {
  const own = assignments.filter(({ isChange }) => !isChange)
  const wanted = JSON.stringify(value)
  const same = own.findLast((each) => each.value !== undefined && JSON.stringify(each.value) === wanted)
  // A literal of another value did not give it this one.
  const possible = own.findLast((each) => each.value === undefined)
  return (same ?? possible ?? own.at(-1) ?? assignments.at(-1))?.place ?? null
}

/** Places in the tree of what is told by absolute paths. */
class Places {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  /** Null for a file outside the tree. */
  fileOf(path: string): string | null {
    const file = relative(this.#root, path)
    return file === '' || file.startsWith('..') || file.startsWith('/') ? null : file
  }

  of(path: string, [line, column, endLine, endColumn]: Span): SourcePlace | null {
    const file = this.fileOf(path)
    return file === null ? null : { file, line, column, endLine, endColumn }
  }

  ofLine(line: readonly [string, number] | null): SourcePlace | null {
    return line === null ? null : this.of(line[0], [line[1], 1, line[1], 1])
  }
}
