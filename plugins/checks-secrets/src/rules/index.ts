import type { ChecksContract } from '@havn/plugin-api'
import { envNotIgnored, envTracked } from './environment.ts'
import {
  databaseTracked,
  dumpTracked,
  keystore,
  kubeconfig,
  kubernetesSecret,
  scanIncomplete,
  terraformState,
  toolCredentials,
} from './files.ts'
import { cloudKey, jwt, literal, privateKey, serviceToken, urlPassword } from './tokens.ts'

/** All rules of this pack. */
export const rules: ChecksContract['rules'] = [
  privateKey,
  cloudKey,
  serviceToken,
  urlPassword,
  jwt,
  literal,
  envTracked,
  envNotIgnored,
  toolCredentials,
  kubernetesSecret,
  kubeconfig,
  terraformState,
  keystore,
  databaseTracked,
  dumpTracked,
  scanIncomplete,
]
