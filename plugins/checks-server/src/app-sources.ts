import { defineFact, isDevelopmentName, sourceFiles, SourceText } from '@havn/checklist'

const NAME = /\.(?:py|[cm]?[jt]s)$/
const MINIFIED = /\.min\.js$|(?:^|\/)(?:dist|build|static|staticfiles|public|vendor|migrations|coverage)\//
/** What rules over sources look for: all others need not be kept. */
const MARK =
  /trust proxy|trustProxy|insecureHTTPParser|\.run\(|\.labels\(|pinoHttp\(|pino-http|\.(?:inc|observe|startTimer)\(/
const MAX_FILES = 5_000
const MAX_LENGTH = 300_000

/** The app's own sources that have to do with how it serves, logs and measures. */
export const appSources = defineFact<readonly SourceText[]>({
  id: 'app-sources',
  title: 'Sources of the app',
  async collect({ tree, get, signal }) {
    const found: SourceText[] = []
    const files = ((await get(sourceFiles)) ?? []).filter(
      (file) =>
        NAME.test(file) &&
        !MINIFIED.test(file) &&
        !isDevelopmentName(file) &&
        !/\.(?:test|spec|config|d)\.[cm]?[jt]s$/.test(file),
    )
    for (const file of files.slice(0, MAX_FILES)) {
      signal.throwIfAborted()
      const text = await tree.read(file)
      if (text !== null && text.length <= MAX_LENGTH && MARK.test(text))
        found.push(new SourceText(file, text))
    }
    return files.length > 0 ? found : null
  },
})

/** Where a pattern is in a file, outside of comments that fill their line. */
export function* matchesIn(source: SourceText, pattern: RegExp): Generator<RegExpExecArray> {
  for (const match of source.text.matchAll(pattern)) {
    const line = source.text.slice(source.text.lastIndexOf('\n', match.index) + 1, match.index)
    if (!/^\s*(?:#|\/\/|\*)/.test(line)) yield match
  }
}
