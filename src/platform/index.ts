// Entry point `zerotrip/platform`: for whoever starts workers, and for what they share. Bundles on their way, stores of
// tickets, guards against replay for fleets, numbers.

export { takeBundleFile, writeBundleFile } from './bundle-file.ts'
export { bundleListener, PullError, type PullOptions, pullBundle } from './bundle-pull.ts'
export {
  ClusterLeader,
  ClusterMember,
  type JoinOptions,
  joinCluster,
  type LeadOptions,
  leadCluster,
} from './cluster.ts'
export {
  type EarlyDataCounts,
  EarlyDataMetrics,
  type EarlyDataMetricsOptions,
  type PrometheusModule,
} from './early-data-metrics.ts'
export { FileTickets, type FileTicketsOptions } from './file-tickets.ts'
export { BUNDLE_FD, giveBundle, MAX_BUNDLE, takeBundle, takeDescriptor } from './inherited.ts'
export type { RedisCommands } from './redis.ts'
export { RedisSingleUse, type RedisSingleUseOptions } from './redis-single-use.ts'
export { RedisTickets, type RedisTicketsOptions } from './redis-tickets.ts'
export { type SharedGateOptions, type SharedReplayGuard, sharedGate } from './shared-gate.ts'
