import { resolve } from 'node:path'
import { platformConfigSchema, type PlatformConfig } from '@havn/model'
import { describe, expect, test } from 'vitest'
import { planPublicEndpoints } from './settings.ts'
import { planTls } from './tls-settings.ts'

const config = (tls: object): PlatformConfig => platformConfigSchema.parse({ tls })
const one = { cert: 'a.pem', key: 'a.key' }

describe('TLS at the door', () => {
  test('is nobody’s unless a certificate is named', () => {
    expect(planTls({}, {}, '/srv/shop')).toEqual({ value: undefined, because: 'no certificate is named' })
  })

  test('is the config’s, with files beside it', () => {
    const { value, because } = planTls(config({ ...one, redirectFrom: ':80' }), {}, '/srv/shop')
    expect(because).toBe('tls in the config says so')
    expect(value).toEqual({
      certificates: [{ cert: '/srv/shop/a.pem', key: '/srv/shop/a.key' }],
      redirectFrom: [{ type: 'tcp', host: '127.0.0.1', port: 80 }],
    })
    const certificates = [
      { ...one, names: ['shop.test'] },
      { cert: '/etc/b.pem', key: '/etc/b.key' },
    ]
    const more = planTls(config({ certificates, minVersion: 'TLSv1.3', publicPort: 443 }), {}, '/srv/shop')
    expect(more.value).toEqual({
      certificates: [
        { cert: '/srv/shop/a.pem', key: '/srv/shop/a.key', names: ['shop.test'] },
        { cert: '/etc/b.pem', key: '/etc/b.key' },
      ],
      minVersion: 'TLSv1.3',
      publicPort: 443,
      redirectFrom: [],
    })
  })

  test('is rather the command line’s, with files in the working directory', () => {
    const overrides = {
      tlsCerts: ['b.pem', 'c.pem'],
      tlsKeys: ['b.key', '/etc/c.key'],
      redirectFrom: ['0.0.0.0:80'],
    }
    const { value, because } = planTls(config(one), overrides, '/srv/shop')
    expect(because).toBe('--tls-cert says so')
    expect(value).toEqual({
      certificates: [
        { cert: resolve('b.pem'), key: resolve('b.key') },
        { cert: resolve('c.pem'), key: '/etc/c.key' },
      ],
      redirectFrom: [{ type: 'tcp', host: '0.0.0.0', port: 80 }],
    })
  })

  test('is by the local authority where that is asked for, for loopback and the names that are given', () => {
    const names = ['localhost', '127.0.0.1', '::1']
    const plain = planTls({}, { tls: 'local' }, '/srv/shop')
    expect(plain).toEqual({
      value: { certificates: [], redirectFrom: [], localNames: names },
      because: '--tls local says so',
    })
    expect(planTls(config({ local: true }), {}, '/srv/shop').value?.localNames).toEqual(names)
    const named = planTls(config({ local: { names: ['shop.test', 'localhost'] } }), {}, '/srv/shop')
    expect(named.value?.localNames).toEqual([...names, 'shop.test'])
    expect(planTls(config(one), { tls: 'local' }, '/srv/shop').value?.localNames).toEqual(names)
    expect(planPublicEndpoints({}, { tls: 'local' }).value[0]!.protocol).toBe('https')
  })

  test('is an authority’s where the config names one, with paths beside it', () => {
    const acme = { domains: ['shop.example'], agreeToTerms: true }
    const files = {
      caFile: 'ca.pem',
      externalAccount: { keyId: 'k', hmacKeyFile: '/etc/hmac' },
      storage: 'acme',
    }
    const { value, because } = planTls(config({ acme: { ...acme, ...files } }), {}, '/srv/shop')
    expect(because).toBe('tls.acme in the config says so')
    const externalAccount = files.externalAccount
    const paths = { storage: '/srv/shop/acme', caFile: '/srv/shop/ca.pem', externalAccount }
    expect(value).toEqual({ certificates: [], redirectFrom: [], acme: { ...acme, ...paths } })
    const { value: plain } = planTls(config({ acme }), {}, '/srv/shop')
    expect(plain?.acme?.storage).toMatch(/^\/.*\/havn\/acme$/)
    // The command line wins.
    expect(planTls(config({ acme }), { tls: 'local' }, '/srv/shop').value?.acme).toBeUndefined()
    const named = { tlsCerts: ['a.pem'], tlsKeys: ['a.key'] }
    expect(planTls(config({ acme }), named, '/srv/shop').value?.acme).toBeUndefined()
  })

  test.each([
    [{ tls: 'local' as const, tlsCerts: ['a.pem'], tlsKeys: ['a.key'] }, 'HAVN_ERR_TLS_SOURCES'],
    [{ tlsCerts: ['a.pem'] }, 'HAVN_ERR_TLS_PAIR'],
    [{ tlsKeys: ['a.key'] }, 'HAVN_ERR_TLS_PAIR'],
    [{ redirectFrom: [':80'] }, 'HAVN_ERR_TLS_REDIRECT'],
    [{ tlsCerts: ['a.pem'], tlsKeys: ['a.key'], redirectFrom: ['x:y'] }, 'HAVN_ERR_BIND_INVALID'],
  ])('%j is wrong use', (overrides, code) => {
    expect(() => planTls({}, overrides, '/srv/shop')).toThrow(expect.objectContaining({ code, exit: 2 }))
  })

  test.each([
    [{ cert: 'a.pem' }, 'belong together'],
    [{ redirectFrom: ':80' }, 'either cert and key, or certificates, or local'],
    [{ ...one, certificates: [one] }, 'either cert and key'],
    [{ ...one, local: true }, 'either cert and key'],
    [{ ...one, acme: { domains: ['shop.example'], agreeToTerms: true } }, 'or acme'],
    [{ acme: { domains: ['*.shop.example'], agreeToTerms: true } }, 'wildcard'],
    [{ ...one, passphrase: 'x' }, 'passphrase'],
  ])('a config with %j is refused', (tls, message) => {
    expect(() => config(tls)).toThrow(message)
  })

  test('is spoken on TCP, and not on Unix sockets', () => {
    const bind = ['127.0.0.1:8443', 'unix:/run/shop.sock']
    const { value } = planPublicEndpoints({ ...config(one), bind }, {})
    expect(value.map(({ protocol }) => protocol)).toEqual(['https', 'http'])
    expect(planPublicEndpoints({ bind }, {}).value.map(({ protocol }) => protocol)).toEqual(['http', 'http'])
  })
})
