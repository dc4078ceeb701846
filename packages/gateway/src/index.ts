export { gatewayConfigSchema, gatewayAppSchema } from './config/gateway-config.ts'
export type { GatewayApp, GatewayConfig, GatewayOptions } from './config/gateway-config.ts'
export type { Exchange, Host, UpgradeExchange } from './host/host.ts'
