import {
  readDjangoLayout,
  readPythonProject,
  type Detection,
  type FrameworkOptions,
  type SourceTree,
} from '@havn/plugin-api'

/** Recognises a Django project by its own files. */
export async function detectDjango(tree: SourceTree, options: FrameworkOptions): Promise<Detection | null> {
  if (options.entry !== undefined && /\.[cm]?[jt]sx?$/.test(options.entry)) return null
  const project = await readDjangoLayout(tree)
  const named = options.env['DJANGO_SETTINGS_MODULE']
  if (!project && !named) return null

  const evidence = project?.evidence ?? []
  if (named) {
    const because = `the deployment sets it to ${named}`
    evidence.unshift({ fact: 'env.DJANGO_SETTINGS_MODULE', because })
  }
  return {
    framework: { id: 'framework.django', name: 'Django' },
    project: await readRequirements(tree, project?.directory ?? '.'),
    evidence,
    confidence: project?.manage ? (project.directory === '.' ? 1 : 0.95) : 0.9,
  }
}

/** Beside manage.py, or else in the tree's root. */
async function readRequirements(tree: SourceTree, directory: string) {
  const project = await readPythonProject(tree, directory)
  return project.manager === 'none' && directory !== '.' ? readPythonProject(tree) : project
}
