import { defineErrors } from '@havn/model/errors'

/** What was asked for, as it follows "Python": `3.9 or newer`, `>=3.10`. */
export interface PythonWanted {
  wanted: string
}

/** Errors of the app's environment: interpreters, package managers and what they install. */
export const environmentErrors = defineErrors({
  HAVN_ERR_PYTHON_MISSING: {
    kind: 'user',
    message: (seen: { tried: readonly string[] }) =>
      `No Python was found that starts. Tried:\n${seen.tried.map((line) => `  - ${line}`).join('\n')}`,
    hint: 'Install Python 3.9 or newer, or name an interpreter with --python.',
  },
  HAVN_ERR_PYTHON_TOO_OLD: {
    kind: 'user',
    message: (seen: PythonWanted & { found: readonly string[] }) =>
      `The app needs Python ${seen.wanted}, and there is ${seen.found.join(', ')}.`,
    hint: (seen: PythonWanted) => `Install Python ${seen.wanted}, or name such an interpreter with --python.`,
  },
  HAVN_ERR_PYTHON_VENV: {
    kind: 'user',
    message: (seen: { interpreter: string; directory: string }) =>
      `${seen.interpreter} could not make a virtual environment in ${seen.directory}.`,
    hint: 'The lines below are its own words; on Debian and Ubuntu the package python3-venv is often missing.',
  },
  HAVN_ERR_PYTHON_PACKAGES_MISSING: {
    kind: 'user',
    message: (seen: { interpreter: string; missing: readonly string[]; because: string }) =>
      `${seen.interpreter} lacks ${seen.missing.join(', ')}; nothing is installed into it, since ${seen.because}.`,
    hint: (seen: { interpreter: string; missing: readonly string[] }) =>
      `Install with: ${seen.interpreter} -m pip install ${seen.missing.map((name) => `'${name}'`).join(' ')}`,
  },
  HAVN_ERR_REQUIREMENTS_MISSING: {
    kind: 'user',
    message: (seen: { interpreter: string; files: readonly string[]; missing: readonly string[] }) =>
      `${seen.interpreter} lacks what ${seen.files[0]} names: ${seen.missing.join(', ')}.`,
    hint: 'Run platform up once, which makes an environment and installs them, or name an interpreter that has them with --python.',
  },
  HAVN_ERR_REQUIREMENTS_INSTALL: {
    kind: 'user',
    message: (seen: { command: string; status: string }) =>
      `The requirements do not install: ${seen.command} ended with ${seen.status}.`,
    hint: 'The lines below are its own words. Correct the requirement that it names, then run the command again.',
  },
  HAVN_ERR_REQUIREMENTS_TOOL: {
    kind: 'user',
    message: (seen: { tool: string; requirement: string }) =>
      `${seen.requirement} can be installed by ${seen.tool} alone, which is not on the PATH.`,
    hint: (seen: { tool: string }) =>
      `Install ${seen.tool}, or add a requirements.txt, or name an interpreter that has the requirements with --python.`,
  },
  HAVN_ERR_NODE_MANAGER_MISSING: {
    kind: 'user',
    message: (seen: { manager: string; file: string }) =>
      `${seen.file} is ${seen.manager}'s, and ${seen.manager} is not on the PATH.`,
    hint: (seen: { manager: string }) => `Install ${seen.manager}, or install the app's packages yourself.`,
  },
  HAVN_ERR_NODE_MODULES_MISSING: {
    kind: 'user',
    message: (seen: { root: string; missing: readonly string[] }) =>
      `${seen.root} has packages that are not installed: ${seen.missing.join(', ')}.`,
    hint: 'Run platform up once, which installs them, or install them yourself.',
  },
  HAVN_ERR_NODE_INSTALL: {
    kind: 'user',
    message: (seen: { command: string; status: string }) =>
      `The packages do not install: ${seen.command} ended with ${seen.status}.`,
    hint: 'The lines below are its own words. Correct what it names, then run the command again.',
  },
})
