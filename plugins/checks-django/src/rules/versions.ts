import { endedOn, endOfLife } from '@havn/checklist'
import { settingRule } from '../setting-rule.ts'

/** Last days of security fixes. */
const DJANGO: Readonly<Record<string, string>> = {
  '1.11': '2020-04-01',
  '2.0': '2019-04-01',
  '2.1': '2019-12-02',
  '2.2': '2022-04-11',
  '3.0': '2021-04-06',
  '3.1': '2021-12-07',
  '3.2': '2024-04-01',
  '4.0': '2023-04-01',
  '4.1': '2023-12-01',
  '4.2': '2026-04-07',
  '5.0': '2025-04-02',
  '5.1': '2025-12-03',
  '5.2': '2028-04-30',
  '6.0': '2027-04-30',
  '6.1': '2027-12-31',
  '6.2': '2030-04-30',
}

export const djangoEndOfLife = settingRule({
  id: 'django.end-of-life',
  title: 'This Django gets no security fixes',
  severity: 'warn',
  confidence: 'certain',
  hint: 'Go to the next release with long-term support, one version at a time, with warnings shown: python -W error.',
  references: ['https://www.djangoproject.com/download/#supported-versions'],
  docs: {
    what: 'Finds versions of Django whose support has ended.',
    why: 'Faults are published for the versions that have fixes, and work in the others.',
    bad: 'Django==4.0\n',
    good: 'Django==5.2\n',
  },
  judge(project) {
    const version = /^\d+\.\d+/.exec(project.djangoVersion ?? '')?.[0] ?? ''
    const ended = endedOn(DJANGO[version])
    return ended === null
      ? null
      : {
          message: `Django ${project.djangoVersion!} had its last fixes on ${ended}.`,
        }
  },
})

export const pythonEndOfLife = settingRule({
  id: 'django.python-end-of-life',
  title: 'This Python gets no security fixes',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Move the environment to a newer Python; Django’s release notes name those that each version runs on.',
  references: ['https://devguide.python.org/versions/'],
  docs: {
    what: 'Finds the version of the Python that the project has here, if its support has ended.',
    why: 'Faults in its parsers of mail, URLs and archives stay open.',
    bad: 'python-3.8\n',
    good: 'python-3.13\n',
  },
  judge(project) {
    // The machine's own, which tells nothing of the deployment.
    if (project.djangoVersion === null || project.pythonVersion === null) return null
    const ended = endedOn(endOfLife({ name: 'python', tag: project.pythonVersion, digest: null }))
    return ended === null
      ? null
      : {
          message: `Python ${project.pythonVersion} had its last fixes on ${ended}.`,
        }
  },
})
