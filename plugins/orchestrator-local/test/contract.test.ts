import { join } from 'node:path'
import { describe, it } from 'vitest'
import { describeOrchestratorPlugin } from '@havn/plugin-api/testing'
import plugin from '../src/index.ts'
import { ask, createFolder, createRelease, dying, nodeJob, serving } from './release.ts'

describeOrchestratorPlugin({
  describe,
  it,
  plugin,
  packageJson: new URL('../package.json', import.meta.url),
  async examples() {
    const { path: root, remove } = await createFolder()
    const socket = join(root, 'app.sock')
    return {
      serving: createRelease({ id: 'serving', root, workloads: [serving(socket, 'one')] }),
      changed: createRelease({ id: 'changed', root, workloads: [serving(socket, 'two')] }),
      dying: createRelease({ id: 'dying', root, workloads: [dying()] }),
      job: nodeJob('console.log("the job ran")'),
      failingJob: nodeJob('console.error("the reason of its failure"); process.exitCode = 4'),
      request: () => ask(socket),
      runDirectory: join(root, 'run'),
      remove,
    }
  },
})
