import type { AppFacts, Evidence } from '@havn/model'
import type { FrameworkOptions } from '@havn/plugin-api'
import type { BootedSettings } from './settings-report.ts'

/** A request that a healthy project answers below 500, with a Host that ALLOWED_HOSTS accepts. Pure. */
export function chooseHealth(
  settings: BootedSettings,
  options: FrameworkOptions,
): { health: AppFacts['health']; evidence: Evidence[] } {
  const path = choosePath(settings, options)
  const host = chooseHost(settings)
  return {
    health: { path: path.value, host: host.value },
    evidence: [
      { fact: 'health.path', because: path.because },
      { fact: 'health.host', because: host.because },
    ],
  }
}

interface Choice {
  value: string
  because: string
}

function choosePath({ health }: BootedSettings, { healthPath }: FrameworkOptions): Choice {
  if (healthPath !== undefined) return { value: healthPath, because: 'the deployment names it' }
  if (health !== null) return { value: health, because: 'the URL configuration has a view for it' }
  return { value: '/', because: 'the URL configuration has no health view' }
}

function chooseHost({ allowedHosts, debug }: BootedSettings): Choice {
  const concrete = allowedHosts.find((host) => host !== '*' && !host.startsWith('.'))
  if (concrete) return { value: concrete, because: 'ALLOWED_HOSTS names it first' }
  const domain = allowedHosts.find((host) => host.startsWith('.'))
  if (domain) return { value: domain.slice(1), because: `ALLOWED_HOSTS accepts ${domain}` }
  if (allowedHosts.includes('*')) return { value: 'localhost', because: 'ALLOWED_HOSTS accepts every host' }
  return debug
    ? { value: 'localhost', because: 'ALLOWED_HOSTS is empty and DEBUG is on: Django accepts localhost' }
    : { value: 'localhost', because: 'ALLOWED_HOSTS is empty and DEBUG is off: Django refuses every request' }
}
