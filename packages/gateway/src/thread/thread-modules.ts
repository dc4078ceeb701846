import { errors } from '../errors.ts'

/**
 * Imports the modules that a thread is to have before anything else, in order.
 *
 * @throws HAVN_ERR_GATEWAY_THREAD_MODULE
 */
export async function importThreadModules(modules: readonly string[]): Promise<void> {
  for (const module of modules) await importThreadModule(module)
}

async function importThreadModule(module: string): Promise<void> {
  try {
    await import(module)
  } catch (cause) {
    const { message, stack } = cause as Error
    throw errors.HAVN_ERR_GATEWAY_THREAD_MODULE({ module, reason: message }, { cause, detail: stack })
  }
}
