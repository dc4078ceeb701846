export { acmeSchema } from './acme-config.ts'
export type { AcmeConfig } from './acme-config.ts'
export { addressSchema, endpointSchema } from './address-schema.ts'
export type { Endpoint } from './address-schema.ts'
export { parseAddress, formatAddress, addressToUrl } from './address.ts'
export type { Address } from './address.ts'
export {
  appFactsSchema,
  appEntrySchema,
  appInterfaceSchema,
  evidenceSchema,
  nodeProjectSchema,
  projectSchema,
  pythonProjectSchema,
  staticFilesSchema,
} from './app-facts.ts'
export type {
  AppEntry,
  AppFacts,
  AppFactsInput,
  AppInterface,
  Evidence,
  NodeProject,
  Project,
  PythonProject,
  StaticFiles,
} from './app-facts.ts'
export { checkItemSchema } from './check-item-config.ts'
export type { CheckItem, CheckItemFault, CheckItemFunction, CheckItemInput } from './check-item-config.ts'
export { checksSchema, waiverSchema } from './checks-config.ts'
export type { ChecksConfig, ChecksOptions, Waiver } from './checks-config.ts'
export { configJsonSchema } from './config-json-schema.ts'
export { platformConfigSchema, defineConfig } from './config.ts'
export type { PlatformConfig, PlatformOptions } from './config.ts'
export { edgeConfigSchema } from './edge/edge-config.ts'
export type { EdgeConfig, EdgeOptions } from './edge/edge-config.ts'
export { edgeErrorsSchema } from './edge/errors-config.ts'
export type { EdgeErrors } from './edge/errors-config.ts'
export { edgeLimitsSchema } from './edge/limits-config.ts'
export type { Rate } from './edge/limits-config.ts'
export { cacheSchema } from './edge/cache-config.ts'
export type { Cache, CacheKey, CacheRule } from './edge/cache-config.ts'
export { compressionSchema } from './edge/compression-config.ts'
export type { Compression } from './edge/compression-config.ts'
export { fileCacheSchema } from './edge/file-cache-config.ts'
export type { FileCacheConfig } from './edge/file-cache-config.ts'
export { maintenanceSchema } from './edge/maintenance-config.ts'
export type { Maintenance } from './edge/maintenance-config.ts'
export { securitySchema } from './edge/security-config.ts'
export type { Security } from './edge/security-config.ts'
export { routeSchema } from './edge/route-config.ts'
export type { Route, RouteLimits, RouteMatch, RouteTarget } from './edge/route-config.ts'
export { serversOf, upstreamSchema, upstreamTlsSchema } from './edge/upstream-config.ts'
export type {
  Balance,
  CircuitConfig,
  HealthConfig,
  Upstream,
  UpstreamServerConfig,
  UpstreamTls,
} from './edge/upstream-config.ts'
export { HavnError, defineErrors, fromErrorJson, isErrorCode, toErrorJson } from './error.ts'
export type { ErrorDefinition, ErrorExtras, ErrorJson } from './error.ts'
export { nearestName } from './nearest-name.ts'
export { planSchema, plannedActionSchema } from './plan.ts'
export type { Plan, PlannedAction } from './plan.ts'
export { pluginRefSchema } from './plugin-ref.ts'
export type { PluginRef } from './plugin-ref.ts'
export type { FailureReason, PartStatus, ProcessCondition, ReloadOutcome } from './process-condition.ts'
export { processSpecSchema, probeSchema, programSchema, mountSchema } from './process-spec.ts'
export type { Probe, ProcessSpec, ProcessSpecInput, Program } from './process-spec.ts'
export { requestIdSchema } from './request-id.ts'
export { releaseSchema } from './release.ts'
export type { Release } from './release.ts'
export { tlsSchema } from './tls-config.ts'
export type { TlsConfig } from './tls-config.ts'
export { generatedFileSchema, jobSchema, workloadSchema } from './workload.ts'
export type { GeneratedFile, GeneratedFileInput, Job, JobInput, Workload, WorkloadInput } from './workload.ts'
