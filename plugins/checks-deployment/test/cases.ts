import { capacityCases } from './cases/capacity.ts'
import type { Cases } from './cases/files.ts'
import { probesCases } from './cases/probes.ts'
import { proxyCases } from './cases/proxy.ts'
import { portsCases } from './cases/ports.ts'
import { settingsCases } from './cases/settings.ts'
import { staticCases } from './cases/static.ts'

/** Of every rule, by its id: its sources are several files, which its docs only show in short. */
export const cases: Readonly<Record<string, Cases>> = {
  ...probesCases,
  ...settingsCases,
  ...proxyCases,
  ...capacityCases,
  ...portsCases,
  ...staticCases,
}
