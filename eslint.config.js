import nx from '@nx/eslint-plugin'
import tseslint from 'typescript-eslint'

/** Who may import whom: DESIGN's layers. Nobody imports `platform`. */
const layers = [
  { sourceTag: 'layer:foundation', onlyDependOnLibsWithTags: ['layer:foundation'] },
  { sourceTag: 'layer:core', onlyDependOnLibsWithTags: ['layer:foundation'] },
  { sourceTag: 'layer:plugin', onlyDependOnLibsWithTags: ['layer:foundation', 'layer:core'] },
  {
    sourceTag: 'layer:app',
    onlyDependOnLibsWithTags: ['layer:foundation', 'layer:core', 'layer:plugin'],
  },
  { sourceTag: 'layer:example', onlyDependOnLibsWithTags: ['layer:foundation'] },
  { sourceTag: 'layer:tool', onlyDependOnLibsWithTags: ['*'] },
  { sourceTag: 'scope:protocol', onlyDependOnLibsWithTags: [] },
]

/** For `no-restricted-syntax`: a later block replaces what an earlier one says. */
const noExportAll = { selector: 'ExportAllDeclaration', message: 'Name what a module exports.' }
const noUsing = {
  selector: 'VariableDeclaration[kind=/using$/]',
  message: 'Node 22 does not parse `using`: close it in a finally.',
}

export default tseslint.config(
  { ignores: ['**/dist', '**/node_modules', '**/fixtures', '**/.platform', '**/.parts', '**/templates'] },
  tseslint.configs.recommended,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts', '**/*.mjs', '**/*.js'],
    languageOptions: { parser: tseslint.parser },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: [], depConstraints: layers },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-syntax': ['error', noExportAll],
    },
  },
  // What runs from source on the oldest Node must be what that Node parses.
  {
    files: ['packages/*/src/**/*.ts', 'plugins/*/src/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', noExportAll, noUsing] },
  },
  // Tests may use the real parts that tools install, and whatever stands above them in the running system.
  {
    files: ['**/vitest.config.ts', '**/*.test.ts', '**/test/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off' },
  },
)
