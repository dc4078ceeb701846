import type { AppEntry, AppInterface, Evidence } from '@havn/model'
import type { DjangoLayout, FrameworkOptions } from '@havn/plugin-api'
import { errors } from './errors.ts'
import { reasonOf } from './boot-settings.ts'
import type { BootedSettings } from './settings-report.ts'

const plainAsgi = 'django.core.handlers.asgi.ASGIHandler'

export interface ChosenEntry {
  entry: AppEntry
  others: AppEntry[]
  evidence: Evidence
}

/**
 * WSGI where both entries exist and nothing in the project needs ASGI: almost all of what a synchronous Django
 * project costs more under ASGI are Django's own hops between threads. Pure.
 *
 * @throws HAVN_ERR_DJANGO_ENTRY when the entry that is chosen did not load.
 */
export function chooseEntry(
  settings: BootedSettings,
  project: DjangoLayout | null,
  options: FrameworkOptions,
): ChosenEntry {
  const found = entriesOf(settings)
  const { kind, because } = decide(settings, found, options)
  const chosen = found.find((entry) => entry.interface === kind) ?? builtin(kind)
  const loaded = kind === 'wsgi' || kind === 'asgi' ? settings.entries[kind] : undefined
  if (loaded?.error && loaded.target === chosen.target) {
    const { error, target } = loaded
    throw errors.HAVN_ERR_DJANGO_ENTRY({ target, reason: reasonOf(error) }, { detail: error.traceback })
  }
  const file = kind === 'asgi' ? project?.asgi?.file : project?.wsgi?.file
  return {
    entry: chosen,
    others: found.filter((entry) => entry !== chosen),
    evidence: { fact: 'entry', because, ...(file && options.entry === undefined && { file }) },
  }
}

/** The files that were found; otherwise the settings' own words. */
function entriesOf({ entries, wsgiApplication, asgiApplication }: BootedSettings): AppEntry[] {
  const wsgi = entries.wsgi?.target ?? toTarget(wsgiApplication)
  const asgi = entries.asgi?.target ?? toTarget(asgiApplication)
  return [
    ...(wsgi ? [{ interface: 'wsgi' as const, target: wsgi }] : []),
    ...(asgi ? [{ interface: 'asgi' as const, target: asgi }] : []),
  ]
}

function decide(
  settings: BootedSettings,
  found: readonly AppEntry[],
  options: FrameworkOptions,
): { kind: AppInterface; because: string } {
  if (options.entry !== undefined) {
    const kind =
      options.interface ?? found.find(({ target }) => target.startsWith(options.entry ?? ''))?.interface
    return { kind: kind ?? 'wsgi', because: `the deployment names ${options.entry}` }
  }
  if (options.interface)
    return { kind: options.interface, because: `the deployment asks for ${options.interface}` }
  const has = (kind: AppInterface) => found.some((entry) => entry.interface === kind)
  if (!has('asgi')) {
    return has('wsgi')
      ? { kind: 'wsgi', because: 'there is a WSGI application, and none for ASGI' }
      : { kind: 'wsgi', because: 'there is neither wsgi.py nor asgi.py: Django makes the application itself' }
  }
  const need = whyAsgi(settings)
  if (need) return { kind: 'asgi', because: need }
  if (!has('wsgi')) return { kind: 'asgi', because: 'there is an ASGI application, and none for WSGI' }
  return {
    kind: 'wsgi',
    because:
      'both WSGI and ASGI are there and every view is synchronous: WSGI answers faster, since under ASGI Django hands each request from thread to thread',
  }
}

/** What in a project works only under ASGI, or wants it; null for nothing. */
function whyAsgi({ installedApps, entries, asyncViews }: BootedSettings): string | null {
  const app = ['channels', 'daphne'].find((name) => installedApps.includes(name))
  if (app) return `${app} is installed: websockets need ASGI`
  const application = entries.asgi?.application
  if (application && application !== plainAsgi)
    return `the ASGI application is a ${application}, not Django's own`
  const [view] = asyncViews
  if (view) return `${view} is asynchronous`
  return null
}

/** `mysite.wsgi.application`, as settings write it. */
function toTarget(path: string | null): string | null {
  const at = path?.lastIndexOf('.') ?? -1
  return path && at > 0 ? `${path.slice(0, at)}:${path.slice(at + 1)}` : null
}

function builtin(kind: AppInterface): AppEntry {
  return kind === 'asgi'
    ? { interface: 'asgi', target: 'django.core.asgi:get_asgi_application()' }
    : { interface: 'wsgi', target: 'django.core.wsgi:get_wsgi_application()' }
}
