// Scenarios by seed, share 2 of 4: see scenario-share.ts.

import { testShare } from './scenario-share.ts'

testShare(1)
