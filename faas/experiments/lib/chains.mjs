// What functions that call functions have to know.

/**
 * ms for which a function keeps its connection to the gateway: none is there when the next request comes, but a ticket
 * has arrived.
 */
export const IDLE = 15

/** Environment of such functions: of each system where its gateway is; the chain client's own is that of `system`. */
export function gatewaysOf({ ports, address }, system) {
  const gateways = Object.fromEntries(Object.entries(ports).map(([name, where]) => [name, { ...where, host: address }]))
  const { securePort, certificate } = gateways[system]
  return {
    GATEWAYS: JSON.stringify(gateways),
    quic_gateway: `https://${address}:${securePort}`,
    quic_gateway_ca: certificate,
    quic_idle: `${IDLE}ms`,
  }
}
