import {
  argOf,
  defineRule,
  directivesOf,
  djangoSettings,
  effectiveDirectives,
  hasInclude,
  nginxConfigs,
  numberOf,
  optionOf,
  serverCommands,
  serverOf,
} from '@havn/checklist'
import { knownSetting, onlyProject } from '../django.ts'
import { longestWait, passesOf, secondsOf } from '../nginx-passes.ts'
import { isSyncWorker } from '../sync-worker.ts'

/** `20m`, `512k`. */
function bytesOf(text: string): number | null {
  const match = /^(\d+)([kmg]?)$/i.exec(text)
  return match === null
    ? null
    : Number(match[1]) *
        { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[match[2]!.toLowerCase() as '' | 'k' | 'm' | 'g']
}

export const bodyLimits = defineRule({
  id: 'deployment.body-limit-smaller',
  title: 'nginx refuses bodies that Django was told to take',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Set client_max_body_size to the same size, or lower the setting.',
  references: [
    'https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size',
    'https://docs.djangoproject.com/en/5.2/ref/settings/#data-upload-max-memory-size',
  ],
  docs: {
    what: 'Compares a DATA_UPLOAD_MAX_MEMORY_SIZE of one’s own with `client_max_body_size`, which is 1 MiB where nothing is said.',
    why: 'Clients get a bare 413 of nginx, and the app’s log has nothing of it.',
    bad: '# settings.py: DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024\nlocation / {\n  proxy_pass http://app;\n}\n',
    good: '# settings.py: DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024\nlocation / {\n  client_max_body_size 20m;\n  proxy_pass http://app;\n}\n',
    language: 'nginx',
  },
  needs: { djangoSettings, nginxConfigs },
  check({ facts, report }) {
    const project = onlyProject(facts.djangoSettings)
    const setting = project === null ? null : knownSetting(project, 'DATA_UPLOAD_MAX_MEMORY_SIZE')
    if (setting === null || setting.isDefault || typeof setting.value !== 'number') return
    const told = new Set<unknown>()
    for (const { pass, config } of passesOf(facts.nginxConfigs)) {
      const limit = effectiveDirectives(pass, 'client_max_body_size', config).at(-1)
      const bytes = limit === undefined ? 2 ** 20 : bytesOf(argOf(limit))
      const key = limit ?? serverOf(pass)
      if (
        bytes === null ||
        bytes === 0 ||
        bytes >= setting.value ||
        told.has(key) ||
        hasInclude(pass, config)
      )
        continue
      told.add(key)
      report({
        message: `nginx takes ${bytes} bytes, Django ${setting.value}.`,
        place: (limit ?? pass).place,
        ...(setting.place !== null && { related: [{ message: 'the setting', place: setting.place }] }),
      })
    }
  },
})

export const timeoutOrder = defineRule({
  id: 'deployment.timeouts-out-of-order',
  title: 'The server works on what the proxy has given up',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Let the proxy wait longer than the server: proxy_read_timeout above --timeout.',
  references: [
    'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout',
    'https://docs.gunicorn.org/en/stable/settings.html#timeout',
  ],
  docs: {
    what: 'Compares the timeout that gunicorn or uWSGI is given with nginx’s `proxy_read_timeout`, 60 seconds where nothing is said.',
    why: 'The client has its 504 and tries again, while the first try still holds a worker and a connection.',
    bad: '# CMD gunicorn shop.wsgi --timeout 300\nlocation / {\n  proxy_pass http://app;\n}\n',
    good: '# CMD gunicorn shop.wsgi --timeout 300\nlocation / {\n  proxy_read_timeout 310s;\n  proxy_pass http://app;\n}\n',
    language: 'nginx',
  },
  needs: { serverCommands, nginxConfigs },
  check({ facts, report }) {
    const servers = facts.serverCommands.filter(
      ({ server, origin, isInherited }) =>
        /^(?:gunicorn|uwsgi)$/.test(server) && !origin.isDevelopment && !isInherited,
    )
    const options = servers.flatMap((command) => {
      const option = optionOf(command, 'timeout')
      const seconds = numberOf(command, 'timeout')
      return option === null || seconds === null || seconds === 0 ? [] : { option, seconds, command }
    })
    // Which of several nginx leads to, nobody says here.
    if (options.length === 0 || options.length !== servers.length) return
    const least = options.sort((one, other) => one.seconds - other.seconds)[0]!
    const wait = longestWait(facts.nginxConfigs)
    if (wait === null || wait.seconds >= least.seconds) return
    report({
      message: `nginx waits for ${wait.seconds} s, ${least.command.server} works for up to ${least.seconds} s.`,
      place: wait.place,
      related: [{ message: 'the server', place: least.option.place }],
    })
  },
})

const UPSTREAM_KEEPALIVE = 60

export const keepaliveOrder = defineRule({
  id: 'deployment.keepalive-shorter',
  title: 'The server closes connections that the proxy keeps',
  severity: 'warn',
  confidence: 'likely',
  hint: 'Let the server keep them longer: --keep-alive 65, --timeout-keep-alive 65; or set keepalive_timeout in the upstream.',
  references: [
    'https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout',
    'https://docs.gunicorn.org/en/stable/settings.html#keepalive',
  ],
  docs: {
    what: 'Compares the keep-alive of the server with how long nginx keeps idle connections to it, where its upstream has `keepalive`.',
    why: 'A request that is sent while the server closes ends in a 502, now and then, at quiet times.',
    bad: '# CMD uvicorn shop:app\nupstream app {\n  server web:8000;\n  keepalive 16;\n}\n',
    good: '# CMD uvicorn shop:app --timeout-keep-alive 65\nupstream app {\n  server web:8000;\n  keepalive 16;\n}\n',
    language: 'nginx',
  },
  needs: { serverCommands, nginxConfigs },
  check({ facts, report }) {
    const servers = facts.serverCommands.filter(
      ({ server, origin, isInherited }) =>
        /^(?:gunicorn|uvicorn|hypercorn)$/.test(server) && !origin.isDevelopment && !isInherited,
    )
    const [command] = servers
    // A sync worker closes each connection with its answer, and says so: nginx keeps none.
    if (command === undefined || servers.length > 1 || isSyncWorker(command)) return
    const kept = numberOf(command, 'keepalive')
    if (kept === null) return
    for (const config of facts.nginxConfigs)
      for (const upstream of config.isDevelopment
        ? []
        : directivesOf(config.directives).filter(({ name }) => name === 'upstream')) {
        const block = upstream.block ?? []
        const keepalive = block.find(({ name }) => name === 'keepalive')
        const said = block.find(({ name }) => name === 'keepalive_timeout')
        const idle = said === undefined ? UPSTREAM_KEEPALIVE : secondsOf(argOf(said))
        if (keepalive === undefined || idle === null || idle < kept) continue
        report({
          message: `nginx keeps them for ${idle} s, ${command.server} for ${kept} s.`,
          place: (said ?? keepalive).place,
          related: [{ message: 'the server', place: optionOf(command, 'keepalive')?.place ?? command.place }],
        })
      }
  },
})
