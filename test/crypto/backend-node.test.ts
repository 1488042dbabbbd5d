import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { testCryptoBackend } from '../conformance/crypto-backend.ts'

testCryptoBackend(nodeBackend)
