/** A public Django project that `platform up` serves untouched. */
export interface PublicProject {
  /** On GitHub. */
  repository: string
  commit: string
  /** The shape that it stands for. */
  shape: string
  /** Folder of the project in the repository. */
  directory: string
  path: string
  /** Words on that page. */
  words: string
  /** What its README says must be set. */
  env: Record<string, string>
}

export const publicProjects: readonly PublicProject[] = []
