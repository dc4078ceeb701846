/**
 * The gunicorn configuration file that Havn generates. Settings go here, and not on the command line, when an
 * older gunicorn does not know them: unknown names in a file are ignored, unknown flags are not. The project's
 * own file is read first: its hooks count, and the command line has the last word.
 */
export function gunicornConfigFile(projectFile: string): string {
  return `import os

_project_file = ${JSON.stringify(projectFile)}
if os.path.exists(_project_file):
    with open(_project_file, encoding="utf-8") as _file:
        exec(compile(_file.read(), _project_file, "exec"))

# The edge writes the access log.
accesslog = None
# One socket in the home folder would be shared by every gunicorn of this user.
control_socket_disable = True
`
}
