import { dirname } from 'node:path/posix'
import type { ComposeService } from './compose-service.ts'
import type { ComposeFile, ComposeVariable } from './compose.ts'
import { isBaseName } from './compose-purpose.ts'
import { resolveInProject } from '../resolve-in-project.ts'

const WITHOUT_VARIABLES: ReadonlyMap<string, string> = new Map()

/** What lies around the services of a project: other files, `.env`, env files. */
export class ComposeSurroundings {
  readonly #files = new Map<string, ComposeFile>()
  readonly #inFolders = new Map<string, ComposeFile[]>()
  readonly #services = new Map<ComposeFile, ReadonlyMap<string, ComposeService>>()
  /** By folder. */
  readonly #variables = new Map<string, ReadonlyMap<string, string>>()
  readonly #envFiles = new Map<string, readonly ComposeVariable[]>()

  addFile(file: ComposeFile): void {
    this.#files.set(file.source.file, file)
    const folder = dirname(file.source.file)
    const beside = this.#inFolders.get(folder)
    if (beside === undefined) this.#inFolders.set(folder, [file])
    else beside.push(file)
    this.#services.set(file, new Map(file.services.map((service) => [service.name, service])))
  }

  addEnvFile(file: string, variables: readonly ComposeVariable[]): void {
    this.#envFiles.set(file, variables)
  }

  /** Values for the variables in files of a folder. */
  addVariables(folder: string, variables: readonly ComposeVariable[]): void {
    this.#variables.set(folder, new Map(variables.map(({ name, value }) => [name, value ?? ''])))
  }

  variablesOf(file: ComposeFile): ReadonlyMap<string, string> {
    return this.#variables.get(dirname(file.source.file)) ?? WITHOUT_VARIABLES
  }

  /** Null for one that is not there. */
  envFile(file: string): readonly ComposeVariable[] | null {
    return this.#envFiles.get(file) ?? null
  }

  /** All files in its folder, itself included. */
  beside(file: ComposeFile): readonly ComposeFile[] {
    return this.#inFolders.get(dirname(file.source.file)) ?? []
  }

  extendedBy({ node, file }: ComposeService): ComposeService | null {
    const setting = node.at('extends')
    const name = setting?.text ?? setting?.at('service')?.text ?? null
    if (name === null) return null
    const path = setting!.at('file')?.text ?? null
    const target = path === null ? file : this.#fileAt(resolveInProject(dirname(file.source.file), path))
    return target === null ? null : this.#find(target, name)
  }

  baseOf({ file, name }: ComposeService): ComposeService | null {
    if (isBaseName(file.source.file)) return null
    const base = this.beside(file).find(({ source }) => isBaseName(source.file))
    return base === undefined ? null : this.#find(base, name)
  }

  overlaysOf({ file, name }: ComposeService): readonly ComposeService[] {
    if (!isBaseName(file.source.file)) return []
    return this.beside(file)
      .filter((other) => other !== file && other.purpose !== 'development')
      .flatMap((other) => this.#find(other, name) ?? [])
  }

  #fileAt(path: string | null): ComposeFile | null {
    return path === null ? null : (this.#files.get(path) ?? null)
  }

  #find(file: ComposeFile, name: string): ComposeService | null {
    return this.#services.get(file)?.get(name) ?? null
  }
}
