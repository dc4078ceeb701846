/** When an API was taken out of Kubernetes, and what took its place. */
export interface RemovedApi {
  /** `1.22`. */
  removedIn: string
  /** Null where nothing did. */
  replacement: string | null
}

/** https://kubernetes.io/docs/reference/using-api/deprecation-guide/, by apiVersion; kinds with a space between. */
const REMOVED: readonly [apiVersion: string, kinds: string, removedIn: string, replacement: string | null][] =
  [
    ['extensions/v1beta1', 'Deployment DaemonSet ReplicaSet', '1.16', 'apps/v1'],
    ['extensions/v1beta1', 'NetworkPolicy', '1.16', 'networking.k8s.io/v1'],
    ['extensions/v1beta1', 'PodSecurityPolicy', '1.16', null],
    ['extensions/v1beta1', 'Ingress', '1.22', 'networking.k8s.io/v1'],
    ['apps/v1beta1', 'Deployment StatefulSet ReplicaSet', '1.16', 'apps/v1'],
    ['apps/v1beta2', 'Deployment StatefulSet DaemonSet ReplicaSet', '1.16', 'apps/v1'],
    ['networking.k8s.io/v1beta1', 'Ingress IngressClass', '1.22', 'networking.k8s.io/v1'],
    [
      'admissionregistration.k8s.io/v1beta1',
      'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
      '1.22',
      'admissionregistration.k8s.io/v1',
    ],
    ['apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', '1.22', 'apiextensions.k8s.io/v1'],
    ['apiregistration.k8s.io/v1beta1', 'APIService', '1.22', 'apiregistration.k8s.io/v1'],
    ['coordination.k8s.io/v1beta1', 'Lease', '1.22', 'coordination.k8s.io/v1'],
    [
      'rbac.authorization.k8s.io/v1beta1',
      'Role ClusterRole RoleBinding ClusterRoleBinding',
      '1.22',
      'rbac.authorization.k8s.io/v1',
    ],
    [
      'rbac.authorization.k8s.io/v1alpha1',
      'Role ClusterRole RoleBinding ClusterRoleBinding',
      '1.22',
      'rbac.authorization.k8s.io/v1',
    ],
    ['scheduling.k8s.io/v1beta1', 'PriorityClass', '1.22', 'scheduling.k8s.io/v1'],
    ['storage.k8s.io/v1beta1', 'StorageClass', '1.22', 'storage.k8s.io/v1'],
    ['storage.k8s.io/v1beta1', 'CSIStorageCapacity', '1.27', 'storage.k8s.io/v1'],
    ['batch/v1beta1', 'CronJob', '1.25', 'batch/v1'],
    ['batch/v2alpha1', 'CronJob', '1.21', 'batch/v1'],
    ['policy/v1beta1', 'PodDisruptionBudget', '1.25', 'policy/v1'],
    ['policy/v1beta1', 'PodSecurityPolicy', '1.25', null],
    ['discovery.k8s.io/v1beta1', 'EndpointSlice', '1.25', 'discovery.k8s.io/v1'],
    ['events.k8s.io/v1beta1', 'Event', '1.25', 'events.k8s.io/v1'],
    ['node.k8s.io/v1beta1', 'RuntimeClass', '1.25', 'node.k8s.io/v1'],
    ['autoscaling/v2beta1', 'HorizontalPodAutoscaler', '1.25', 'autoscaling/v2'],
    ['autoscaling/v2beta2', 'HorizontalPodAutoscaler', '1.26', 'autoscaling/v2'],
    [
      'flowcontrol.apiserver.k8s.io/v1beta1',
      'FlowSchema PriorityLevelConfiguration',
      '1.26',
      'flowcontrol.apiserver.k8s.io/v1',
    ],
    [
      'flowcontrol.apiserver.k8s.io/v1beta2',
      'FlowSchema PriorityLevelConfiguration',
      '1.29',
      'flowcontrol.apiserver.k8s.io/v1',
    ],
    [
      'flowcontrol.apiserver.k8s.io/v1beta3',
      'FlowSchema PriorityLevelConfiguration',
      '1.32',
      'flowcontrol.apiserver.k8s.io/v1',
    ],
  ]

/** Null for an API that is still there, as far as it is known. */
export function removedApi(apiVersion: string, kind: string): RemovedApi | null {
  const found = REMOVED.find((each) => each[0] === apiVersion && each[1].split(' ').includes(kind))
  return found === undefined ? null : { removedIn: found[2], replacement: found[3] }
}

/** The fields of an object are the same in the new API, so that its name is all there is to change. */
export function isSameShape(apiVersion: string, kind: string): boolean {
  return (
    kind === 'CronJob' || (kind === 'Deployment' && apiVersion === 'apps/v1beta2') || kind.startsWith('Role')
  )
}
