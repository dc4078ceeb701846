import type { Connection } from './connection.ts'

/**
 * Calls back once everything that a connection was asked so far is answered: what is written earlier would stand in the
 * place of an answer, and be taken for it.
 */
export function afterAnswers({ response }: Connection, next: () => void): void {
  if (response === null || response.writableFinished) next()
  else response.once('finish', next)
}
