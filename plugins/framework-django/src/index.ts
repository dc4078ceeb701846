import { definePlugin } from '@havn/plugin-api'
import { z } from 'zod'
import { detectDjango } from './detect.ts'
import { inspectDjango } from './inspect.ts'

/** Finds Django projects, and reads their facts by booting their settings in a child process. */
export default definePlugin({
  id: 'framework.django',
  kind: 'framework',
  apiVersion: 1,
  config: z.strictObject({}),
  setup: () => ({
    looksFor: [
      'manage.py that names Django, here or one folder down',
      'wsgi.py or asgi.py of a Django project',
      'DJANGO_SETTINGS_MODULE under app.env in the config',
    ],
    detect: detectDjango,
    inspect: inspectDjango,
  }),
})
