import type { EdgeErrors } from '@havn/model'
import { readPage } from './read-page.ts'

/** The site's own pages for errors, in memory. */
export class ErrorPages {
  readonly #pages: ReadonlyMap<string, Buffer>

  /** @throws HAVN_ERR_EDGE_CONFIG for a page that can't be read, or is too large. */
  constructor({ pages }: EdgeErrors) {
    const read = ([status, file]: [string, string]) =>
      [status, readPage(file, `errors.pages.${status}`)] as const
    this.#pages = new Map(Object.entries(pages).map(read))
  }

  /** The page for a status, else for its class; null where there is none. */
  find(status: number): Buffer | null {
    const text = String(status)
    return this.#pages.get(text) ?? this.#pages.get(`${text[0]}xx`) ?? null
  }
}
