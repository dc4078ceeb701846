/** A public Django project that `platform up` serves untouched. */
export interface PublicProject {
  /** On GitHub. */
  repository: string
  commit: string
  /** What it stands for. */
  shape: string
  /** Folder of the project in the repository. */
  directory: string
  path: string
  /** Words on that page. */
  words: string
  /** What its README says must be set. */
  env: Record<string, string>
}

export const publicProjects: readonly PublicProject[] = [
  {
    repository: 'healthchecks/healthchecks',
    commit: '5e274e6aebf71fa69f83cd29fadf10fb40fba7a2',
    shape:
      'one settings module that reads the environment, pinned requirements, django-compressor, C extensions',
    directory: '.',
    path: '/accounts/login/',
    words: 'Log In',
    env: {},
  },
  {
    repository: 'wagtail/bakerydemo',
    commit: '8736e86184704a7fc3d8c360c864c408c9235de8',
    shape: 'split settings (base, dev, production), requirements in a folder, Wagtail, media files',
    directory: '.',
    path: '/admin/login/',
    words: 'Wagtail',
    env: {},
  },
  {
    repository: 'mdn/django-locallibrary-tutorial',
    commit: '3dbedbed216386e068723f5d3fefeae63bcfe16d',
    shape: 'a tutorial grown to Heroku: Procfile, WhiteNoise, dj-database-url, an older Django',
    directory: '.',
    path: '/catalog/',
    words: 'Local Library',
    env: {},
  },
]
