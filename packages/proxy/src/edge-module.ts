/** URL of the module that a gateway's threads load as their edge: `.ts` from source, `.js` from a build. */
export const edgeModule: string = new URL(
  import.meta.url.endsWith('.ts') ? './edge.ts' : './edge.js',
  import.meta.url,
).href
