export { defineFact, defineRule } from './define.ts'
export { errors } from './errors.ts'
export type {
  ComposeBuild,
  ComposeCommand,
  ComposeDependency,
  ComposeEnvFile,
  ComposeFile,
  ComposeHealthcheck,
  ComposeMount,
  ComposePort,
  ComposePurpose,
  ComposeText,
  ComposeVariable,
} from './facts/compose/compose.ts'
export { composeFiles } from './facts/compose/compose-files-fact.ts'
export type { ComposeService } from './facts/compose/compose-service.ts'
export { dockerContexts } from './facts/dockerfile/docker-contexts-fact.ts'
export type { DockerContext } from './facts/dockerfile/docker-contexts-fact.ts'
export { parseDockerIgnore } from './facts/dockerfile/dockerignore.ts'
export type { DockerIgnore } from './facts/dockerfile/dockerignore.ts'
export { djangoProjects, djangoSettings } from './facts/django/django-projects-fact.ts'
export type {
  DjangoFailure,
  DjangoMessage,
  DjangoProject,
  DjangoRoute,
} from './facts/django/django-project.ts'
export { placeOfKey, placeOfText, secretOf } from './facts/django/django-setting.ts'
export type {
  DjangoSetting,
  SecretMeasures,
  SettingAssignment,
  SettingValue,
} from './facts/django/django-setting.ts'
export { dockerfiles } from './facts/dockerfile/dockerfiles-fact.ts'
export type {
  Dockerfile,
  DockerFlag,
  DockerInstruction,
  DockerStage,
  DockerWord,
  Heredoc,
} from './facts/dockerfile/dockerfile.ts'
export { parseDockerfile } from './facts/dockerfile/parse-dockerfile.ts'
export { shellOf } from './facts/dockerfile/shell-of.ts'
export { endedOn, endOfLife } from './facts/image/end-of-life.ts'
export { isMovingTag, parseImage } from './facts/image/parse-image.ts'
export type { ImageReference } from './facts/image/parse-image.ts'
export { givenVariables } from './facts/kubernetes/given-variables.ts'
export type { GivenVariables } from './facts/kubernetes/given-variables.ts'
export { manifests } from './facts/kubernetes/manifests-fact.ts'
export type {
  BuiltinKind,
  ContainerPort,
  ContainerProbe,
  ContainerVariable,
  ContainerWord,
  KubernetesObject,
  Kustomization,
  Manifests,
  ObjectReference,
  PodContainer,
  PodTemplate,
  PodVolume,
  SkippedManifests,
} from './facts/kubernetes/manifests.ts'
export {
  argOf,
  blocksOf,
  effectiveDirectives,
  hasInclude,
  serverOf,
  speaksTls,
} from './facts/nginx/effective.ts'
export type { NginxConfig, NginxDirective, NginxWord } from './facts/nginx/nginx-config.ts'
export { nginxConfigs } from './facts/nginx/nginx-configs-fact.ts'
export { directivesOf, parseNginx } from './facts/nginx/parse-nginx.ts'
export type { Requirement } from './facts/requirements/requirement.ts'
export { requirements } from './facts/requirements/requirements-fact.ts'
export { instructionsOfStage, variablesOfStage } from './facts/server/from-dockerfiles.ts'
export { isDevelopmentName } from './facts/server/is-development.ts'
export { bindsOf, isLoopback, isOn, numberOf, optionOf, valueOf } from './facts/server/options.ts'
export type {
  CommandOrigin,
  CommonOption,
  ServerBind,
  ServerCommand,
  ServerName,
  ServerOption,
  SetVariable,
} from './facts/server/server-command.ts'
export { pythonServers } from './facts/server/python-servers.ts'
export { serverCommands } from './facts/server/server-commands-fact.ts'
export { parseShell } from './facts/shell/parse-shell.ts'
export type { ShellCommand, ShellWord } from './facts/shell/parse-shell.ts'
export { gitFiles } from './facts/git/git-files.ts'
export type { GitFiles } from './facts/git/git-files.ts'
export { isSecretName, isSecretVariable } from './facts/secret-variable.ts'
export { readLinks } from './facts/site/page-links.ts'
export type { PageLinks } from './facts/site/page-links.ts'
export type { SiteAnswer } from './facts/site/parse-answer.ts'
export { redirectOf, siteAsker, siteHome, siteProber } from './facts/site/site-fact.ts'
export type { SiteAsker, SiteHome } from './facts/site/site-fact.ts'
export { siteParsing } from './facts/site/site-parsing-fact.ts'
export type { ParsingId, ParsingProbe, SiteParsing } from './facts/site/site-parsing-fact.ts'
export { sitePaths } from './facts/site/site-paths-fact.ts'
export type { InsideKind, LeakKind, SitePaths } from './facts/site/site-paths-fact.ts'
export { answerOf, headerValue, headerValues, toExchange } from './facts/site/site-probe.ts'
export type { SiteProbe } from './facts/site/site-probe.ts'
export { SiteProber } from './facts/site/site-prober.ts'
export type { Handshake, SiteLimits, SitePorts } from './facts/site/site-prober.ts'
export { siteSlow } from './facts/site/site-slow-fact.ts'
export type { SiteSlow } from './facts/site/site-slow-fact.ts'
export { siteTls } from './facts/site/site-tls-fact.ts'
export type { SiteTls } from './facts/site/site-tls-fact.ts'
export { echoOf, FORGED_ADDRESS, FORGED_HOST, isCompressed, siteTrust } from './facts/site/site-trust-fact.ts'
export type { SiteTrust } from './facts/site/site-trust-fact.ts'
export { sourceFiles } from './facts/source-files.ts'
export { readYaml } from './facts/yaml/read-yaml.ts'
export type { YamlFile, YamlProblem } from './facts/yaml/read-yaml.ts'
export type { YamlContent, YamlEntry } from './facts/yaml/yaml-node.ts'
export { YamlNode } from './facts/yaml/yaml-node.ts'
export { planFixes } from './fix/plan-fixes.ts'
export type { FixPlan } from './fix/plan-fixes.ts'
export { writeFixes } from './fix/write-fixes.ts'
export { rulesOfItems } from './items/rules-of-items.ts'
export type { ItemOptions } from './items/rules-of-items.ts'
export { countFindings } from './report/count-findings.ts'
export type { FindingCounts } from './report/count-findings.ts'
export { formatFindingLine } from './report/finding-line.ts'
export { formatJson } from './report/format-json.ts'
export { formatJunit } from './report/format-junit.ts'
export { formatMarkdown } from './report/format-markdown.ts'
export { formatSarif } from './report/format-sarif.ts'
export type { SarifOptions } from './report/format-sarif.ts'
export { formatFinding, formatFix, formatText } from './report/format-text.ts'
export type { TextOptions } from './report/format-text.ts'
export { gradeOf } from './report/grade.ts'
export type { Grade } from './report/grade.ts'
export { failsAt, runChecks } from './run/run-checks.ts'
export type { CheckInput, CheckResult, JudgedFinding, RuleResult } from './run/run-checks.ts'
export type { Snippet } from './run/snippet-reader.ts'
export { MappedText } from './source/mapped-text.ts'
export { SourceText } from './source/source-text.ts'
export { formatBaseline, parseBaseline } from './waivers/baseline.ts'
export type { Baseline } from './waivers/baseline.ts'
