import { defineFact } from '@havn/checklist'

/** Absolute path of the project: settings that were booted name folders below it. */
export const treeRoot = defineFact<string>({
  id: 'tree-root',
  title: 'Project',
  collect: ({ tree }) => Promise.resolve(tree.root),
})
