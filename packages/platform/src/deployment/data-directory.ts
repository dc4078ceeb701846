import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where Havn keeps what is the user's and of no single app (XDG Base Directory Specification). */
export function dataDirectory(environment: NodeJS.ProcessEnv): string {
  const data = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local/share')
  return join(data, 'havn')
}
