import { nobleBackend } from '../../src/crypto-noble.ts'
import { testCryptoBackend } from '../conformance/crypto-backend.ts'

testCryptoBackend(nobleBackend)
