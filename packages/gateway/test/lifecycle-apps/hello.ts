export default (): Response => new Response('hello from TypeScript')
