import { expect, test } from 'vitest'
import { appEnvironment } from './app-environment.ts'

test('the machine’s variables less our own and npm’s, plus the deployment’s', () => {
  const machine = {
    PATH: '/usr/bin',
    HOME: '/home/ann',
    NODE_ENV: 'production',
    NPM_TOKEN: 'kept: it is a person’s',
    COLORTERM: 'truecolor',
    unset: undefined,
    npm_config_user_agent: 'npm',
    NODE_OPTIONS: '--max-old-space-size=4096',
    NODE_CHANNEL_FD: '3',
    HAVN_ANYTHING: '1',
    INIT_CWD: '/',
    NODE: '/usr/bin/node',
    COLOR: '1',
  }
  expect(appEnvironment(machine, { HOME: '/srv', DJANGO_SETTINGS_MODULE: 'shop.settings' })).toEqual({
    PATH: '/usr/bin',
    HOME: '/srv',
    NODE_ENV: 'production',
    NPM_TOKEN: 'kept: it is a person’s',
    COLORTERM: 'truecolor',
    NODE_OPTIONS: '--max-old-space-size=4096',
    DJANGO_SETTINGS_MODULE: 'shop.settings',
  })
})
