import type { RuleCases } from '@havn/checklist/testing'
import { deployment, type Example } from '../src/examples.ts'

function web(example: Example): { 'web.yaml': string } {
  return { 'web.yaml': deployment(example) }
}

function file(...lines: string[]): { 'web.yaml': string } {
  return { 'web.yaml': lines.join('\n') + '\n' }
}

const image = 'image: shop:1.4'
/** The same workload of another kind. */
function as(kind: string, files: { 'web.yaml': string }): { 'web.yaml': string } {
  return { 'web.yaml': files['web.yaml'].replace('kind: Deployment', `kind: ${kind}`) }
}

/** A Job, with a line above its container. */
function jobOf(line: string): { 'web.yaml': string } {
  return file(
    'apiVersion: batch/v1',
    'kind: Job',
    'metadata: {name: a}',
    'spec:',
    '  template:',
    '    spec:',
    '      restartPolicy: Never',
    '      containers:',
    ...(line === '' ? [] : [`        ${line}`]),
    '        - name: a',
    '          image: b',
  )
}

const ported = deployment({ container: [image, 'ports: [{ name: http, containerPort: 8000 }]'] })

/** More than the examples of the docs, by rule. */
export const cases: Readonly<Record<string, Partial<Pick<RuleCases, 'passing' | 'failing'>>>> = {
  'kubernetes.unreadable': {
    passing: { 'other YAML that is broken': { 'a.yaml': 'a: [\n', ...web({}) } },
    failing: {
      tabs: file(
        'apiVersion: v1',
        'kind: Service',
        'metadata:',
        '# finds: kubernetes.unreadable',
        '\tname: web',
      ),
      'a billion laughs': file(
        'apiVersion: v1',
        'kind: ConfigMap',
        `a: &a [${'1,'.repeat(50)}]`,
        `b: &b [${'*a,'.repeat(50)}]`,
        '# finds: kubernetes.unreadable',
        `c: &c [${'*b,'.repeat(50)}]`,
      ),
    },
  },
  'kubernetes.not-checked': {
    passing: {
      'braces in texts': file(
        'apiVersion: v1',
        'kind: ConfigMap',
        'metadata: {name: a}',
        'data: {a: "{{ x }}"}',
      ),
    },
  },
  'kubernetes.api-removed': {
    passing: {
      'kinds of others': file(
        'apiVersion: networking.istio.io/v1beta1',
        'kind: Gateway',
        'metadata: {name: a}',
      ),
    },
    failing: {
      'in a list': file(
        'apiVersion: v1',
        'kind: List',
        'items:',
        '  # finds: kubernetes.api-removed',
        '  - apiVersion: policy/v1beta1',
        '    kind: PodDisruptionBudget',
      ),
    },
  },
  'kubernetes.object-twice': {
    passing: {
      'other namespaces and files': {
        ...file(
          'apiVersion: v1',
          'kind: Pod',
          'metadata: {name: a, namespace: x}',
          '---',
          'apiVersion: v1',
          'kind: Pod',
          'metadata: {name: a}',
        ),
        'b.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n',
      },
    },
  },
  'kubernetes.privileged': {
    failing: {
      'before the others, in a CronJob': file(
        'apiVersion: batch/v1',
        'kind: CronJob',
        'metadata: {name: a}',
        'spec:',
        '  jobTemplate:',
        '    spec:',
        '      template:',
        '        spec:',
        '          containers: [{name: a, image: b}]',
        '          initContainers:',
        '            - name: x',
        '              image: y',
        '              securityContext:',
        '                # finds: kubernetes.privileged',
        '                privileged: yes',
      ),
    },
  },
  'kubernetes.non-root-missing': {
    passing: {
      'of the pod': web({ pod: ['securityContext: { runAsNonRoot: true }'] }),
      'a user': web({ pod: ['securityContext: { runAsUser: 1000 }'] }),
    },
    failing: {
      'the container says otherwise': {
        'web.yaml': deployment({
          pod: ['securityContext: { runAsNonRoot: true }'],
          container: [image, 'securityContext: { runAsNonRoot: false }'],
        }).replace(
          '        - name: web',
          '        # finds: kubernetes.non-root-missing\n        - name: web',
        ),
      },
    },
  },
  'kubernetes.seccomp-missing': {
    failing: {
      unconfined: web({
        pod: [
          'securityContext:',
          '  # finds: kubernetes.seccomp-missing',
          '  seccompProfile: { type: Unconfined }',
        ],
      }),
    },
  },
  'kubernetes.capability-added': {
    failing: {
      'one of the others': web({
        container: [
          image,
          'securityContext:',
          '  capabilities:',
          '    add:',
          '      - NET_BIND_SERVICE',
          '      # finds: kubernetes.capability-added',
          '      - NET_ADMIN',
        ],
      }),
    },
  },
  'kubernetes.service-exposed': {
    passing: {
      'internal balancers': file(
        'apiVersion: v1',
        'kind: Service',
        'metadata: {name: a, annotations: {networking.gke.io/load-balancer-type: Internal}}',
        'spec: {type: LoadBalancer}',
        '---',
        'apiVersion: v1',
        'kind: Service',
        'metadata: {name: b, annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: "true"}}',
        'spec: {type: LoadBalancer}',
      ),
    },
    failing: {
      'a balancer that is said not to be internal': file(
        'apiVersion: v1',
        'kind: Service',
        'metadata: {name: a, annotations: {service.beta.kubernetes.io/azure-load-balancer-internal: "false"}}',
        'spec:',
        '  # finds: kubernetes.service-exposed',
        '  type: LoadBalancer',
      ),
    },
  },
  'kubernetes.host-port': {
    passing: {
      'one on each node': as(
        'DaemonSet',
        web({ container: [image, 'ports: [{ containerPort: 1, hostPort: 1 }]'] }),
      ),
    },
  },
  'kubernetes.host-path': {
    passing: { 'of the pod': web({ pod: ['volumes: [{ name: a, emptyDir: {} }]'] }) },
  },
  'kubernetes.token-mounted': {
    passing: { 'an account of its own': web({ pod: ['serviceAccountName: web'] }) },
  },
  'kubernetes.default-service-account': {
    failing: {
      'a binding': file(
        'apiVersion: rbac.authorization.k8s.io/v1',
        'kind: RoleBinding',
        'metadata: {name: a}',
        'subjects:',
        '  - kind: ServiceAccount',
        '    # finds: kubernetes.default-service-account',
        '    name: default',
      ),
    },
  },
  'kubernetes.memory-request': {
    passing: {
      'from the limit': web({ container: [image, 'resources: { limits: { memory: 1Gi } }'] }),
      'before the others': web({
        pod: ['initContainers: [{ name: a, image: "b:1" }]'],
        container: [image, 'resources: { requests: { memory: 1Gi } }'],
      }),
    },
    failing: {
      'what ends': jobOf('# finds: kubernetes.memory-request'),
    },
  },
  'kubernetes.liveness-missing': {
    passing: {
      'what ends': jobOf(''),
    },
    failing: {
      'one pod': file(
        'apiVersion: v1',
        'kind: Pod',
        'metadata: {name: a}',
        'spec:',
        '  containers:',
        '    # finds: kubernetes.liveness-missing',
        '    - name: a',
        '      image: b',
      ),
      'the old kind': file(
        'apiVersion: v1',
        'kind: ReplicationController',
        'metadata: {name: a}',
        'spec:',
        '  template:',
        '    spec:',
        '      containers:',
        '        # finds: kubernetes.liveness-missing',
        '        - name: a',
        '          image: b',
      ),
    },
  },
  'kubernetes.startup-missing': {
    passing: {
      'time enough': web({
        container: [image, 'livenessProbe: { initialDelaySeconds: 15, exec: { command: [x] } }'],
      }),
    },
  },
  'kubernetes.probe-port-unknown': {
    passing: {
      'no ports are listed, commands, variables': web({
        container: [
          image,
          'readinessProbe: { tcpSocket: { port: 8000 } }',
          'livenessProbe: { exec: { command: [x] } }',
        ],
      }),
    },
    failing: {
      'a number': web({
        container: [
          image,
          'ports: [{ containerPort: 8000 }]',
          'livenessProbe:',
          '  tcpSocket:',
          '    # finds: kubernetes.probe-port-unknown',
          '    port: 8080',
        ],
      }),
    },
  },
  'kubernetes.tag-moving': {
    passing: {
      'what Kustomize gives a tag, digests, variables': {
        ...web({ container: ['image: shop'] }),
        'kustomization.yaml': 'images: [{name: shop, newTag: "1"}]\n',
        'b.yaml': deployment({ container: ['image: $IMAGE'] }),
        'c.yaml': deployment({ container: [`image: shop@sha256:${'0'.repeat(64)}`] }),
      },
    },
    failing: { none: web({ container: ['# finds: kubernetes.tag-moving', 'image: registry:5000/shop'] }) },
  },
  'kubernetes.secret-in-env': {
    passing: {
      'names that are none': web({
        container: [
          image,
          'env: [{ name: TOKEN_TTL, value: abcd }, { name: AUTH_ORG_ROLE, value: Admin }, { name: SPREAD_TOPOLOGY_KEY, value: a/b }, { name: KEY, value: $(KEY) }, { name: PASSWORD, value: "" }]',
        ],
      }),
    },
    failing: {
      'a URL': web({
        container: [
          image,
          'env:',
          '  - name: DATABASE_URL',
          '    # finds: kubernetes.secret-in-env',
          '    value: postgres://shop:hunter2@db/shop',
        ],
      }),
    },
  },
  'kubernetes.secret-in-configmap': {
    passing: {
      files: file(
        'apiVersion: v1',
        'kind: ConfigMap',
        'metadata: {name: a}',
        'data:',
        '  token.conf: |',
        '    a',
        '    b',
        '  password-file: /run/x',
      ),
    },
  },
  'kubernetes.debug-on': {
    passing: {
      'for development': {
        'overlays/dev/a.yaml': deployment({ container: [image, 'env: [{ name: DEBUG, value: "1" }]'] }),
      },
    },
    failing: {
      'a ConfigMap': file(
        'apiVersion: v1',
        'kind: ConfigMap',
        'metadata: {name: a}',
        'data:',
        '  # finds: kubernetes.debug-on',
        '  DEBUG: "True"',
      ),
    },
  },
  'kubernetes.one-replica': {
    passing: {
      'an autoscaler': {
        ...web({}),
        'hpa.yaml':
          'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {scaleTargetRef: {kind: Deployment, name: web}}\n',
      },
    },
  },
  'kubernetes.rollout-takes-all': {
    passing: {
      'a volume that one pod alone can have': web({
        spec: ['strategy: { type: Recreate }'],
        pod: ['volumes: [{ name: a, persistentVolumeClaim: { claimName: a } }]'],
      }),
    },
    failing: {
      'all of them': web({
        spec: [
          'strategy:',
          '  rollingUpdate:',
          '    # finds: kubernetes.rollout-takes-all',
          '    maxUnavailable: 100%',
        ],
      }),
    },
  },
  'kubernetes.disruption-budget-blocks': {
    failing: {
      zero: file(
        'apiVersion: policy/v1',
        'kind: PodDisruptionBudget',
        'metadata: {name: a}',
        'spec:',
        '  # finds: kubernetes.disruption-budget-blocks',
        '  maxUnavailable: 0',
      ),
    },
  },
  'kubernetes.selector-mismatch': {
    passing: {
      'labels that Kustomize adds': { ...web({}), 'kustomization.yaml': 'commonLabels: {app: web}\n' },
    },
  },
  'kubernetes.service-without-pods': {
    passing: {
      'no selector, an operator, no workloads': {
        'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: x}}\n',
        'b/web.yaml': deployment({}),
        'b/external.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ExternalName}\n',
      },
      'what an operator makes': {
        ...web({}),
        'db.yaml': 'apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: a}\nspec: {}\n',
        'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: x}}\n',
      },
    },
  },
  'kubernetes.service-port-unknown': {
    passing: {
      'no ports are listed': {
        ...web({}),
        'a.yaml':
          'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n',
      },
    },
    failing: {
      'a number': {
        'web.yaml': ported,
        'a.yaml':
          'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  selector: {app: web}\n  ports:\n    # finds: kubernetes.service-port-unknown\n    - port: 80\n',
      },
    },
  },
  'kubernetes.ingress-backend-unknown': {
    failing: {
      'a port, in the old form': file(
        'apiVersion: v1',
        'kind: Service',
        'metadata: {name: a}',
        'spec: {ports: [{port: 80, name: http}]}',
        '---',
        'apiVersion: networking.k8s.io/v1beta1',
        'kind: Ingress',
        'metadata: {name: a}',
        'spec:',
        '  backend:',
        '    serviceName: a',
        '    # finds: kubernetes.ingress-backend-unknown',
        '    servicePort: 8080',
      ),
    },
  },
  'kubernetes.mount-unknown': {
    passing: {
      'claims of a StatefulSet': as(
        'StatefulSet',
        web({
          spec: ['volumeClaimTemplates: [{ metadata: { name: data } }]'],
          container: [image, 'volumeMounts: [{ name: data, mountPath: /d }]'],
        }),
      ),
    },
  },
  'kubernetes.ingress-without-tls': {
    passing: {
      'a balancer that has the certificate, and local names': {
        ...file(
          'apiVersion: networking.k8s.io/v1',
          'kind: Ingress',
          'metadata: {name: a, annotations: {alb.ingress.kubernetes.io/certificate-arn: x}}',
          'spec: {rules: [{host: a.example}]}',
        ),
        'b.yaml':
          'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: b}\nspec: {rules: [{host: shop.localhost}]}\n',
      },
    },
  },
  'kubernetes.wildcard-role': {
    failing: {
      'of an operator': file(
        'apiVersion: rbac.authorization.k8s.io/v1',
        'kind: ClusterRole',
        'metadata: {name: a}',
        'rules:',
        '  - apiGroups: [acme.example]',
        '    resources:',
        '      # finds: kubernetes.wildcard-role',
        '      - "*"',
      ),
    },
  },
}
