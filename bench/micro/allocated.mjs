// Prints how many bytes of the heap one handshake leaves behind for the collector: run by handshakes.mjs.

import { nodeBackend, wasmBackend } from 'zerotrip'
import { nobleBackend } from 'zerotrip/crypto/noble'
import { newHandshakes } from './handshakes.mjs'

const [name, kind] = process.argv.slice(2)
const backend = [nodeBackend, wasmBackend, nobleBackend].find(candidate => candidate.name === name)
const quic = newHandshakes(backend)
const WARM_UP = backend === nobleBackend ? 20 : 300
const COUNT = 50

for (let i = 0; i < WARM_UP; i++) quic[kind]()
globalThis.gc()
const before = process.memoryUsage().heapUsed
for (let i = 0; i < COUNT; i++) quic[kind]()
console.log(Math.round((process.memoryUsage().heapUsed - before) / COUNT))
