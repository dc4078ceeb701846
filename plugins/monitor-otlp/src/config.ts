import { z } from 'zod'

/** What a user may write; what is left out stays with the standard `OTEL_*` variables. */
export const configSchema = z.strictObject({
  /** Base URL of the collector, such as `http://localhost:4318`; `/v1/traces` is appended. */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  protocol: z.enum(['http/protobuf', 'http/json', 'grpc']).optional(),
  /** `service.name` of every process; each process's own id otherwise. */
  serviceName: z.string().min(1).optional(),
  /** Headers for the collector: name of the header, and of the variable that holds its value. */
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
    .optional(),
})
export type OtlpConfig = z.output<typeof configSchema>
