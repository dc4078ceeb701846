/** What an example shows, as lines of YAML without indentation. */
export interface Example {
  /** Of the container; `image: shop:1.4` where none is given. */
  container?: readonly string[]
  /** Of the pod's spec. */
  pod?: readonly string[]
  /** Of the Deployment's spec. */
  spec?: readonly string[]
}

/** A Deployment with what an example shows, for the pages of rules. */
export function deployment({ container = ['image: shop:1.4'], pod = [], spec = [] }: Example): string {
  const indented = (lines: readonly string[], spaces: number) =>
    lines.map((line) => ' '.repeat(spaces) + line)
  return [
    'apiVersion: apps/v1',
    'kind: Deployment',
    'metadata:',
    '  name: web',
    'spec:',
    ...indented(spec, 2),
    '  selector:',
    '    matchLabels: { app: web }',
    '  template:',
    '    metadata:',
    '      labels: { app: web }',
    '    spec:',
    ...indented(pod, 6),
    '      containers:',
    '        - name: web',
    ...indented(container, 10),
    '',
  ].join('\n')
}
