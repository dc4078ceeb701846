import { globSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { errorDefinitions } from '@havn/protocol'
import ts from 'typescript'

/** One code as its package's `errors.ts` declares it. */
export interface DeclaredError {
  code: string
  package: string
  kind: string
  /** The sentence, with ‹name› where a value is filled in. */
  message: string
  hint: string
}

const root = resolve(import.meta.dirname, '../..')

/** Reads every `defineErrors({ … })` of the product's sources, without running them. */
export function readDeclaredErrors(): DeclaredError[] {
  const files = globSync('{packages,plugins}/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts'),
  )
  return [...files.flatMap((file) => readFile(resolve(root, file))), ...protocolErrors()].sort((a, b) =>
    a.code < b.code ? -1 : a.code > b.code ? 1 : 0,
  )
}

/** docs/reference/errors.md, whole. */
export function formatErrorReference(declared: readonly DeclaredError[]): string {
  const rows = declared.map(
    ({ code, message, hint, package: from }) =>
      `### ${code}\n\n${message}\n\n**What to change:** ${hint}\n\n<small>${from}</small>\n`,
  )
  return `# Error codes

Every error that Havn reports has a code. Codes keep their meaning for ever and are never used again for another.
Words in ‹angle brackets› are filled in with what was seen. \`npm run reference\` writes this page from the sources.

${rows.join('\n')}`
}

/** The protocol package depends on nothing, and so declares its codes in its own way. */
function protocolErrors(): DeclaredError[] {
  return Object.entries(errorDefinitions).map(([code, { says, section, hint }]) => {
    return { code, package: 'packages/protocol', kind: 'user', message: `${says} (${section}).`, hint }
  })
}

function readFile(path: string): DeclaredError[] {
  const text = readFileSync(path, 'utf8')
  if (!text.includes('defineErrors(')) return []
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const from = relative(root, path).split('/').slice(0, 2).join('/')
  const found: DeclaredError[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'defineErrors') {
      const [definitions] = node.arguments
      if (definitions && ts.isObjectLiteralExpression(definitions)) {
        for (const property of definitions.properties) {
          if (ts.isPropertyAssignment(property)) found.push(readDefinition(property, from))
        }
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function readDefinition(property: ts.PropertyAssignment, from: string): DeclaredError {
  const parts = property.initializer as ts.ObjectLiteralExpression
  const part = (name: string): ts.Expression | undefined => {
    const found = parts.properties.find((each) => each.name?.getText() === name)
    return found && ts.isPropertyAssignment(found) ? found.initializer : undefined
  }
  return {
    code: property.name.getText(),
    package: from,
    kind: sentence(part('kind')),
    message: sentence(part('message')),
    hint: sentence(part('hint')),
  }
}

/** The words of a string, template or arrow function; what is computed becomes ‹its last name›. */
function sentence(node: ts.Expression | undefined): string {
  if (!node) return ''
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isParenthesizedExpression(node)) return sentence(node.expression)
  if (ts.isArrowFunction(node)) return ts.isBlock(node.body) ? blockSentence(node.body) : sentence(node.body)
  if (ts.isConditionalExpression(node)) return sentence(node.whenFalse) || sentence(node.whenTrue)
  if (ts.isBinaryExpression(node)) return sentence(node.left) + sentence(node.right)
  if (ts.isTemplateExpression(node)) {
    return node.templateSpans.reduce(
      (text, span) => text + placeholder(span.expression) + span.literal.text,
      node.head.text,
    )
  }
  return placeholder(node)
}

function blockSentence(block: ts.Block): string {
  const last = block.statements.findLast(ts.isReturnStatement)
  return sentence(last?.expression)
}

function placeholder(node: ts.Expression): string {
  const names = node.getText().match(/seen\.(\w+)/)
  return `‹${names?.[1] ?? 'value'}›`
}
