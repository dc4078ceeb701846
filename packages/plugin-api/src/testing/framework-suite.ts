import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { appFactsSchema, evidenceSchema, projectSchema } from '@havn/model'
import type { AppFacts } from '@havn/model'
import type { AppRuntime, Detection, FrameworkContract, FrameworkOptions } from '../kinds/framework.ts'
import { openSourceTree } from '../source-tree.ts'
import type { SourceTree } from '../source-tree.ts'
import { describeAnyPlugin, withPlugin } from './plugin-suite.ts'
import type { PluginSuiteOptions } from './plugin-suite.ts'
import { assertJson, frozenCopy } from './purity.ts'

/** A source tree that the framework must recognise. */
export interface FrameworkExample {
  name: string
  /** Absolute. */
  directory: string
  options?: Partial<FrameworkOptions>
  /** With it the example is inspected as well. */
  runtime?: () => Promise<AppRuntime>
}

export interface FrameworkSuiteOptions extends PluginSuiteOptions {
  examples: readonly FrameworkExample[]
}

/** The contract of framework detectors. At least one example is needed. */
export function describeFrameworkPlugin(options: FrameworkSuiteOptions): void {
  const { describe, it, plugin, examples } = options
  const withFramework = <Result>(use: (framework: FrameworkContract) => Promise<Result>) =>
    withPlugin<'framework', Result>(options, use)

  describe(`the framework contract: ${plugin.id}`, () => {
    describeAnyPlugin(options)

    it('says what it looks for', () =>
      withFramework(async ({ looksFor }) => {
        assert.ok(looksFor.length > 0, 'looksFor is empty')
        for (const sentence of looksFor) assert.notEqual(sentence.trim(), '')
      }))

    it('sees nothing in an empty folder', () =>
      withFramework(async (framework) => {
        const directory = await mkdtemp(join(tmpdir(), 'havn-empty-'))
        try {
          assert.equal(await framework.detect(await openSourceTree(directory), optionsOf({})), null)
        } finally {
          await rm(directory, { recursive: true })
        }
      }))

    for (const example of examples) {
      it(`detects ${example.name}, twice alike, with evidence`, () =>
        withFramework(async (framework) => {
          const tree = frozenTree(await openSourceTree(example.directory))
          const detection = await framework.detect(tree, optionsOf(example))
          checkDetection(detection)
          assert.deepEqual(await framework.detect(tree, optionsOf(example)), detection)
        }))

      if (!example.runtime) continue
      it(`inspects ${example.name}`, () =>
        withFramework(async (framework) => {
          await checkFacts(await inspect(framework, example), example)
        }))
    }
  })
}

function checkDetection(detection: Detection | null): asserts detection is Detection {
  assert.ok(detection, 'detect found nothing')
  assertJson(detection, 'detection')
  projectSchema.parse(detection.project)
  assert.ok(detection.confidence > 0 && detection.confidence <= 1, `confidence is ${detection.confidence}`)
  assert.ok(detection.evidence.length > 0, 'a detection says why')
  for (const evidence of detection.evidence) evidenceSchema.parse(evidence)
}

async function inspect(framework: FrameworkContract, example: FrameworkExample): Promise<AppFacts> {
  const tree = await openSourceTree(example.directory)
  const options = optionsOf(example)
  const detection = await framework.detect(tree, options)
  checkDetection(detection)
  const runtime = frozenCopy(await example.runtime!())
  return framework.inspect({
    tree,
    detection: frozenCopy(detection),
    runtime,
    options,
    signal: AbortSignal.timeout(60_000),
  })
}

async function checkFacts(facts: AppFacts, example: FrameworkExample): Promise<void> {
  assertJson(facts, 'facts')
  appFactsSchema.parse(facts)
  assert.equal(facts.root, (await openSourceTree(example.directory)).root)
  assert.ok(
    facts.evidence.some(({ fact }) => fact.startsWith('entry')),
    'the facts do not say why the entry was chosen',
  )
}

function optionsOf(example: Pick<FrameworkExample, 'options'>): FrameworkOptions {
  return frozenCopy({ env: {}, ...example.options })
}

/** A detector reads through the tree's two functions and changes nothing of it. */
function frozenTree(tree: SourceTree): SourceTree {
  return Object.freeze({ root: tree.root, read: tree.read, list: tree.list })
}
