/** Pages that frameworks show to those who develop, by what is in them and in no other page. */
export const DEBUG_PAGES: readonly { name: string; pattern: RegExp }[] = [
  {
    name: 'Django’s page for DEBUG = True',
    pattern: /You.{1,8}re seeing this error because you have <code>DEBUG = True<\/code>/,
  },
  {
    name: 'Django’s page for a project without pages',
    pattern: /The install worked successfully! Congratulations!/,
  },
  {
    name: 'The debugger of Werkzeug',
    pattern: /<title>[^<]*\/\/ Werkzeug Debugger<\/title>|__debugger__=yes/,
  },
  {
    name: 'Starlette’s page for debug=True',
    pattern: /<h1>500 Server Error<\/h1>\s*<h2>[\s\S]{0,500}traceback-container/,
  },
  {
    name: 'Next.js in development',
    pattern:
      /\/_next\/static\/chunks\/[^"']*(?:react-refresh|hmr-client|next-devtools)|"buildId":"development"/,
  },
  { name: 'Vite in development', pattern: /<script[^>]+src="\/@vite\/client"/ },
  {
    name: 'Rails’ page for development',
    pattern: /<h1>(?:Routing Error|Action Controller: Exception caught)|Rails\.root: /,
  },
  {
    name: 'Laravel’s page for debugging',
    pattern: /<title>[^<]*Whoops!|laravel-exceptions-renderer|window\.data = \{"report"/,
  },
  {
    name: 'Symfony’s page for debugging',
    pattern: /Symfony Web Debug Toolbar|<title>[^<]* \(\d{3} [\w ]+\)<\/title>[\s\S]*sf-dump/,
  },
]

/** A traceback, of whichever language. */
export const STACK_TRACE =
  /Traceback \(most recent call last\):|\bat (?:[\w.$<>]+ )?\(?(?:\/|file:\/\/\/|[A-Z]:\\)[^\s)<]+\.[cm]?[jt]sx?:\d+:\d+\)?|\bat [\w$.]+\([\w$]+\.java:\d+\)|goroutine \d+ \[running\]:/

/** Servers that say of themselves that they are not for production. */
export const DEVELOPMENT_SERVER =
  /^(?:WSGIServer\/\d|Werkzeug\/\d|BaseHTTP\/\d|SimpleHTTP\/\d|PHP [\d.]+ Development Server|WEBrick\/)/
