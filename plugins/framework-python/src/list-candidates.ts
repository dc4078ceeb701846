import type { SourceTree } from '@havn/plugin-api'

/** Modules that hold an app by everyone's habit, the surest first. */
const usualNames = ['wsgi', 'asgi', 'app', 'main', 'application', 'server', 'api', 'run', 'index']
/** Folders that hold no app to serve. */
const notPackages =
  /^(\.|_)|^(node_modules|s?env|venv|virtualenv|tests?|docs?|static|templates|migrations|dist|build)\/$/
const maxFiles = 200

/**
 * Python files that may hold the app, the likeliest first: usual names in the root, in `src` and in packages, then
 * packages themselves, then whatever else lies in the root. Paths are relative to the root.
 */
export async function listCandidates(tree: SourceTree): Promise<string[]> {
  const folders = ['.', 'src', ...(await listPackages(tree, '.')), ...(await listPackages(tree, 'src'))]
  const usual: string[] = []
  const packages: string[] = []
  for (const folder of new Set(folders)) {
    const names = new Set(await tree.list(folder))
    for (const name of usualNames) if (names.has(`${name}.py`)) usual.push(join(folder, `${name}.py`))
    if (names.has('__init__.py') && folder !== '.') packages.push(join(folder, '__init__.py'))
  }
  const rest = (await tree.list()).filter(
    (name) => name.endsWith('.py') && !/^(setup|conftest|test_.*|.*_test)\.py$/.test(name),
  )
  return [...new Set([...usual, ...packages, ...rest])].slice(0, maxFiles)
}

async function listPackages(tree: SourceTree, folder: string): Promise<string[]> {
  const names = await tree.list(folder)
  return names.flatMap((name) =>
    name.endsWith('/') && !notPackages.test(name) ? join(folder, name.slice(0, -1)) : [],
  )
}

function join(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`
}
