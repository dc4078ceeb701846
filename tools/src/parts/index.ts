export { ensurePython, findPython } from './python.ts'
export { partMissing, requirePart } from './missing.ts'
