import type { NodeProject, PythonProject } from '@havn/model'
import type { AppRuntime } from '@havn/plugin-api'
import type { EnvironmentInput } from './environment-input.ts'
import { prepareNodeEnvironment } from './prepare-node-environment.ts'
import { preparePythonEnvironment } from './prepare-python-environment.ts'

/**
 * Makes sure that the app's interpreter and packages are there, and says which interpreter that is.
 *
 * @throws HAVN_ERR_PYTHON_*, HAVN_ERR_REQUIREMENTS_*, HAVN_ERR_NODE_*
 */
export function prepareEnvironment(input: EnvironmentInput): Promise<AppRuntime> {
  return input.project.language === 'python'
    ? preparePythonEnvironment(input as EnvironmentInput<PythonProject>)
    : prepareNodeEnvironment(input as EnvironmentInput<NodeProject>)
}
