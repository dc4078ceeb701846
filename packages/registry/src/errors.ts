import { defineErrors } from '@havn/model/errors'

/** What follows a sentence about a mistyped name. */
function suggestion(nearest: string | null): string {
  return nearest === null ? '' : ` Did you mean ${nearest}?`
}

/** Every failure of a plugin names the plugin, and the package that brings it where that is known. */
export const errors = defineErrors({
  HAVN_ERR_PLUGIN_PACKAGE: {
    kind: 'user',
    message: (seen: { name: string; from: string }) =>
      `No package ${seen.name} is installed for ${seen.from}.`,
    hint: (seen: { name: string }) =>
      `Install it (npm install ${seen.name}), or take it out of "plugins" in the config.`,
  },
  HAVN_ERR_PLUGIN_METADATA: {
    kind: 'user',
    message: (seen: { file: string; problem: string }) =>
      `The "havn" field of ${seen.file} is not right: ${seen.problem}`,
    hint: 'A plugin package lists each plugin as { "id": "kind.name", "kind", "api", "entry": "./file" }.',
  },
  HAVN_ERR_PLUGIN_NOT_FOUND: {
    exit: 2,
    kind: 'user',
    message: (seen: { kind: string; choice: string; nearest: string | null }) =>
      `No ${seen.kind} plugin is called ${seen.choice}.${suggestion(seen.nearest)}`,
    hint: '`platform plugins` lists what is installed; packages that bring more are named under "plugins" in the config.',
  },
  HAVN_ERR_PLUGIN_KIND: {
    exit: 2,
    kind: 'user',
    message: (seen: { id: string; kind: string; wanted: string }) =>
      `${seen.id} is a plugin of kind ${seen.kind}; a ${seen.wanted} is wanted here.`,
    hint: (seen: { wanted: string }) => `Choose a plugin whose id starts with "${seen.wanted}.".`,
  },
  HAVN_ERR_PLUGIN_AMBIGUOUS: {
    exit: 2,
    kind: 'user',
    message: (seen: { id: string; packages: readonly string[] }) =>
      `Several packages bring a plugin ${seen.id}: ${seen.packages.join(', ')}.`,
    hint: (seen: { id: string; packages: readonly string[] }) =>
      `Say which: { "id": "${seen.id}", "package": "${seen.packages[0]}" }, or take the others out.`,
  },
  HAVN_ERR_PLUGIN_API_VERSION: {
    kind: 'user',
    message: (seen: { id: string; package: string; kind: string; found: number; wanted: number }) =>
      `${seen.id} (${seen.package}) is written for version ${seen.found} of the ${seen.kind} contract; this Havn has version ${seen.wanted}.`,
    hint: (seen: { package: string; found: number; wanted: number }) =>
      seen.found > seen.wanted ? 'Update Havn.' : `Update ${seen.package}.`,
  },
  HAVN_ERR_PLUGIN_ID_MISMATCH: {
    kind: 'system',
    message: (seen: { id: string; package: string; found: string }) =>
      `The package.json of ${seen.package} promises ${seen.id}, but its module says ${seen.found}.`,
    hint: 'This is a fault of the plugin: its "havn" field and its definePlugin call must name the same id and kind.',
  },
  HAVN_ERR_PLUGIN_LOAD: {
    kind: 'system',
    message: (seen: { id: string; package: string; problem: string }) =>
      `${seen.id} (${seen.package}) does not load: ${seen.problem}`,
    hint: (seen: { package: string }) => `Install ${seen.package} again, or report it to its authors.`,
  },
  HAVN_ERR_PLUGIN_CONFIG: {
    exit: 2,
    kind: 'user',
    message: (seen: { id: string; problems: readonly string[] }) =>
      seen.problems.length === 1
        ? `The configuration of ${seen.id} is not right: ${seen.problems[0]}`
        : `The configuration of ${seen.id} is not right:\n${seen.problems.map((problem) => `  - ${problem}`).join('\n')}`,
    hint: (seen: { id: string }) => `Change the "config" of ${seen.id}.`,
  },
  HAVN_ERR_PLUGIN_SETUP: {
    kind: 'system',
    message: (seen: { id: string; phase: string; problem: string }) =>
      `${seen.id} failed in ${seen.phase}: ${seen.problem}`,
    hint: 'See what the plugin says above; if that does not help, report it to the authors of the plugin.',
  },
  HAVN_ERR_PLUGIN_TIMEOUT: {
    kind: 'system',
    message: (seen: { id: string; phase: string; timeoutMs: number }) =>
      `${seen.id} did not finish its ${seen.phase} within ${seen.timeoutMs} ms.`,
    hint: 'Look at what the plugin waits for; report it to its authors when nothing is in its way.',
  },
})
