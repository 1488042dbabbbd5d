// Entry point `zerotrip/zero-rtt`: everything that makes the first flight useful. The defaults refuse.

export type {
  Authorization,
  AuthorizationQuestion,
  Authorize,
  EarlyDataAttempt,
  EarlyDataGate,
  EarlyDataRefusal,
  EarlyDataTerms,
  IssuedTicket,
  OfferedPsk,
  Psk,
  PskKind,
  PskSource,
  TicketIssuer,
  TicketState,
} from '../tls13/ports.ts'
export { refuseEarlyData } from '../tls13/ports.ts'
export { type AddressTokenAnswer, AddressTokens, type AddressTokensOptions } from './address-token.ts'
export {
  expectedArrival,
  type GateOptions,
  gateFrom,
  RefuseEarlyData,
  type ReplayAnswer,
  type ReplayGuard,
  SingleUse,
  StrikeWindow,
  type StrikeWindowOptions,
} from './anti-replay.ts'
export {
  type BundleTerms,
  type Chain,
  type ClientBundle,
  clientBundleFromJson,
  clientBundleToJson,
  readClientBundle,
  readWorkerBundle,
  type WorkerBundle,
  workerBundleFromJson,
  workerBundleToJson,
  writeClientBundle,
  writeWorkerBundle,
} from './bundle.ts'
export {
  EarlyDataPolicy,
  type EarlyDataPolicyOptions,
  type EarlyRequests,
  isEarlyRequestAllowed,
} from './early-data-policy.ts'
export {
  type ClientOptions,
  clientBundle,
  nextEpoch,
  provision,
  provisionClient,
  type WorkerOptions,
  workerBundle,
} from './generator.ts'
export { ProvisionedClient } from './provisioned-client.ts'
export { ProvisionedPsk } from './provisioned-psk.ts'
export { type EpochLife, ProvisionedServer, type ProvisionedServerOptions } from './provisioned-server.ts'
export { type ExternalPsk, type ImportedPsk, importPsk } from './psk-importer.ts'
export { firstOf, gateByKind, NoPsks } from './psk-sources.ts'
export {
  assertNotReduced,
  canHonour,
  readRemembered,
  rememberedLimits,
  writeRemembered,
} from './remembered-parameters.ts'
export { ReplayWindow } from './replay-window.ts'
export {
  isExpired,
  offeredPsk,
  type ReceivedTicket,
  type Resumption,
  type ResumptionKind,
  readResumption,
  resumptionFromJson,
  resumptionFromTicket,
  resumptionToJson,
  type TicketCompany,
  writeResumption,
} from './resumption.ts'
export type { SealingKeysOptions } from './sealing-keys.ts'
export { mintTicket, type SyntheticTicketOptions } from './synthetic-ticket.ts'
export { TicketPsk, TicketSealer, type TicketSealerOptions } from './ticket-sealer.ts'
export {
  firstTickets,
  MemoryTickets,
  type MemoryTicketsOptions,
  NoTickets,
  originOf,
  type TicketStore,
} from './ticket-store.ts'
export { type UnsafeExternalPsk, UnsafeExternalPsks, unsafeRawExternalPsk } from './unsafe-external-psk.ts'
