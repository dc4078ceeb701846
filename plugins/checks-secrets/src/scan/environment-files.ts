import { defineFact, sourceFiles } from '@havn/checklist'
import { isEnvironmentFile } from '../paths.ts'

/** Files of variables in the folder, whether git knows them or not. */
export const environmentFiles = defineFact<readonly string[]>({
  id: 'environment-files',
  title: 'Files of variables',
  async collect({ get }) {
    const files = (await get(sourceFiles))?.filter(isEnvironmentFile) ?? []
    return files.length > 0 ? files : null
  },
})
