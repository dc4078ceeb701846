import { z } from 'zod'

/** Where something listens. A TCP port of 0 asks the kernel for a free one. */
export const addressSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('tcp'), host: z.string().min(1), port: z.int().min(0).max(65535) }),
  z.object({ type: z.literal('unix'), path: z.string().min(1) }),
])

/** A named address that processes serve or use, decided before any server is planned. */
export const endpointSchema = z.object({
  id: z.string(),
  address: addressSchema,
  protocol: z.enum(['http', 'https', 'uwsgi']).default('http'),
  /** True for the door that users come through; others are internal. */
  public: z.boolean().default(false),
})
export type Endpoint = z.infer<typeof endpointSchema>
