import { workerData } from 'node:worker_threads'
import { toErrorJson, type ErrorJson } from '@havn/model/errors'
import { importThreadModules } from '../thread/thread-modules.ts'
import type { TaskInput, TaskOutput, TaskThreadData } from './messages.ts'
import type { TaskApp } from './task-app.ts'

const { config } = workerData as TaskThreadData
let app: TaskApp | null = null

/**
 * What Piscina runs in a thread for tasks. Everything else is imported after the thread modules, so that an
 * instrumentation sees it load.
 */
export default async function run(input: TaskInput): Promise<TaskOutput> {
  if (input === 'start') return await failureOf(start)
  if (app === null) throw new TypeError('A task came before the app was loaded.')
  if (input !== 'end') return await app.answer(input)
  const { end } = app
  return await failureOf(end)
}

async function start(): Promise<void> {
  await importThreadModules(config.threadModules)
  const { createTaskApp } = await import('./task-app.ts')
  app = await createTaskApp(config)
}

/** An error that crosses to another thread by itself loses its code. */
async function failureOf(step: () => Promise<void>): Promise<ErrorJson | null> {
  try {
    await step()
    return null
  } catch (error) {
    return toErrorJson(error)
  }
}
