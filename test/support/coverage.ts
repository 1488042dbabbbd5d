import { takeCoverage } from 'node:v8'
import { afterAll } from 'vitest'

// vitest ends its workers by a signal, so V8 would never write what c8 reads. Write it when a file is done.
afterAll(() => takeCoverage())
