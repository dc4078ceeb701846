/** URL of the module that a gateway's supervisor loads to get certificates by ACME: `.ts` from source, `.js` from a build. */
export const acmeModule: string = new URL(
  import.meta.url.endsWith('.ts') ? './acme-source.ts' : './acme-source.js',
  import.meta.url,
).href
