import { describe } from 'vitest'
import { listenerSuite } from './listener-suite.ts'
import { startEcho, startPlainEcho } from './raw-exchange.ts'

describe('node:http alone', () => listenerSuite(startEcho))
describe('with the plain lane before it', () => listenerSuite(startPlainEcho))
