export { definePlugin, pluginApiVersions } from './plugin.ts'
export type {
  AnyPlugin,
  PluginContext,
  PluginContracts,
  PluginDefinition,
  PluginKind,
  PluginLifecycle,
  PluginLogger,
} from './plugin.ts'
export type { BuilderContract, BuildRequest, Image } from './kinds/builder.ts'
export type { CertificateContext, CertificateModule, CertificateSource } from './kinds/certificates.ts'
export type {
  CheckRule,
  ChecksContract,
  Confidence,
  Exchange,
  Fact,
  FactCollector,
  FactContext,
  FactValues,
  FactsNeeded,
  Finding,
  FindingReport,
  Fix,
  RuleDocs,
  Severity,
  SourcePlace,
  TextEdit,
} from './kinds/checks.ts'
export type {
  CacheOutcome,
  EdgeApp,
  EdgeContext,
  EdgeHandler,
  EdgeModule,
  EdgeNotes,
  EdgePlainRequest,
  EdgeStatus,
  UpstreamServerStatus,
} from './kinds/edge.ts'
export type { AppRuntime, Detection, FrameworkContract, FrameworkOptions } from './kinds/framework.ts'
export type { LifecycleEvent, MonitorContract } from './kinds/monitor.ts'
export type { ApplyInput, OrchestratorContract, ProcessStatus } from './kinds/orchestrator.ts'
export type {
  ProxyContract,
  ProxyPlan,
  ProxyPlanInput,
  RequiredProgram,
  UnsupportedSetting,
} from './kinds/proxy.ts'
export type {
  LogLevel,
  ProcessPlan,
  ServerContract,
  ServerPlanInput,
  ServerSettings,
  TlsSettings,
  Target,
} from './kinds/server.ts'
export { chooseDjangoSettings, readDjangoLayout, readDjangoLayouts } from './django-layout.ts'
export type { ChosenSettings, DjangoEntryFile, DjangoLayout, DjangoSettingsHint } from './django-layout.ts'
export { redirectEndpoints } from './redirect-endpoints.ts'
export { openSourceTree } from './source-tree.ts'
export type { ReadOptions, SourceTree } from './source-tree.ts'
export { toVersionSpecifier } from './poetry-constraint.ts'
export { parsePyproject, readPythonProject } from './python-project.ts'
export type { Pyproject } from './python-project.ts'
