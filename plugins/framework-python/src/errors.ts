import { defineErrors } from '@havn/model/errors'

interface TargetSeen {
  /** `module:attribute`. */
  target: string
}

/** What goes wrong when a Python app is looked for and imported. The app's own traceback is each error's detail. */
export const errors = defineErrors({
  HAVN_ERR_PYTHON_APP_NOT_FOUND: {
    kind: 'user',
    message: (seen: { files: readonly string[] }) =>
      `No WSGI or ASGI app was found in ${seen.files.join(', ')}.`,
    hint: 'Name it with app.entry in the config: entry = "module:attribute".',
  },
  HAVN_ERR_PYTHON_APP_NO_MODULE: {
    kind: 'user',
    message: (seen: { module: string; root: string }) => `There is no module ${seen.module} in ${seen.root}.`,
    hint: 'Check the entry: MODULE:ATTRIBUTE, with the module as Python imports it from that folder.',
  },
  HAVN_ERR_PYTHON_APP_IMPORT: {
    kind: 'user',
    message: (seen: TargetSeen & { reason: string }) => `${seen.target} does not load: ${seen.reason}`,
    hint: 'Correct what the traceback below ends with.',
  },
  HAVN_ERR_PYTHON_APP_REQUIREMENT: {
    kind: 'user',
    message: (seen: TargetSeen & { module: string }) =>
      `${seen.target} does not load: there is no module ${seen.module}.`,
    hint: (seen: { module: string; interpreter: string }) =>
      `Name the package that brings ${seen.module} among the requirements (the interpreter is ${seen.interpreter}), or correct the import below.`,
  },
  HAVN_ERR_PYTHON_APP_ATTRIBUTE: {
    kind: 'user',
    message: (seen: TargetSeen & { nearest: string | null }) => {
      const [module, attribute] = seen.target.split(':')
      return `${module} has no ${attribute}.${seen.nearest ? ` Did you mean ${module}:${seen.nearest}?` : ''}`
    },
    hint: 'Check the entry: MODULE:ATTRIBUTE, or MODULE:FACTORY() for a function that makes the app.',
  },
  HAVN_ERR_PYTHON_APP_NOT_CALLABLE: {
    kind: 'user',
    message: (seen: TargetSeen & { type: string }) =>
      `${seen.target} is a ${seen.type}, which cannot be called.`,
    hint: 'Name a WSGI application (environ, start_response) or an ASGI application (scope, receive, send).',
  },
  HAVN_ERR_PYTHON_APP_INTERFACE: {
    kind: 'user',
    message: (seen: TargetSeen & { signature: string }) =>
      `${seen.target} takes ${seen.signature}, which is neither WSGI nor ASGI 3.`,
    hint: 'Name another entry, or say which it is with app.interface in the config (or --interface).',
  },
  HAVN_ERR_PYTHON_APP_EXIT: {
    kind: 'user',
    message: (seen: TargetSeen & { status: string }) =>
      `${seen.target} ended Python while it loaded: ${seen.status}.`,
    hint: 'The module must load to its end; start a server only under `if __name__ == "__main__"`.',
  },
  HAVN_ERR_PYTHON_APP_TIMEOUT: {
    kind: 'user',
    message: (seen: TargetSeen & { seconds: number }) =>
      `${seen.target} did not load within ${seen.seconds} seconds.`,
    hint: 'The lines below say where it stood. Start a server only under `if __name__ == "__main__"`.',
  },
})
