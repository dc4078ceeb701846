/** Variables of Havn's and npm's own that an app must not inherit: they change how Node, Python or npm behave in it. */
const ownVariables = /^(npm_|NODE_CHANNEL_FD$|HAVN_|INIT_CWD$|NODE$|COLOR$)/

/**
 * The environment for the app's processes: the machine's, less our own, plus the deployment's. npm puts its
 * node_modules/.bin folders in front of PATH; they are not the app's.
 */
export function appEnvironment(
  machine: Readonly<Record<string, string | undefined>>,
  deployment: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(machine)) {
    if (value !== undefined && !ownVariables.test(name)) environment[name] = value
  }
  return { ...environment, ...deployment }
}
