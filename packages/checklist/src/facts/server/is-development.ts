/** Words of names of what is not meant for production. */
const WORD =
  /(?:^|[/._-])(?:dev|devel|develop|development|devcontainer|local|localhost|debug|test|tests|testing|ci|e2e|examples?|samples?|demo|docs?|playground|fixtures?|benchmarks?|watch|hot)(?=$|[/._-])/i

/** Whether a name (of a file, a stage, a script, a service) says that it is for development or tests. */
export function isDevelopmentName(name: string): boolean {
  return WORD.test(name)
}
