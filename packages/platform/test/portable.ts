const repository = new URL('../../../', import.meta.url).href

/** Text for a golden file: where this checkout lies is taken out of it. */
export function portable(text: string): string {
  return text.replaceAll(repository, 'file:///havn/')
}
