// Scenarios by seed, share 4 of 4: see scenario-share.ts.

import { testShare } from './scenario-share.ts'

testShare(3)
