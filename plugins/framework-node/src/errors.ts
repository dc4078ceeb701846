import { defineErrors } from '@havn/model/errors'

/** What goes wrong when a Node app is looked for. */
export const errors = defineErrors({
  HAVN_ERR_NODE_ENTRY_MISSING: {
    kind: 'user',
    message: (seen: { file: string; root: string }) => `There is no file ${seen.file} in ${seen.root}.`,
    hint: "Correct app.entry in the config; it is relative to the app's folder.",
  },
})
