export { gatewayConfigSchema, gatewayAppSchema } from './config/gateway-config.ts'
export type { GatewayApp, GatewayConfig, GatewayOptions } from './config/gateway-config.ts'
export { errors } from './errors.ts'
export type { GatewayProcessStatus, GatewayWorkerStatus } from './gateway-process/status.ts'
export type { Exchange, Host, UpgradeExchange } from './host/host.ts'
export { parseGatewayOptions } from './supervisor/parse-options.ts'
export { startSupervisor } from './supervisor/start-supervisor.ts'
export type {
  GatewayHandle,
  GatewayStatus,
  ReloadOptions,
  ReloadRecord,
  SupervisorHooks,
} from './supervisor/start-supervisor.ts'
export { takeSystemdSockets } from './supervisor/systemd-sockets.ts'
export { supervisorModule } from './supervisor/supervisor-module.ts'
