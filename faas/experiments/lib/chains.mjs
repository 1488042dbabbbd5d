// What functions that call functions have to know.

/**
 * ms for which a function keeps its connection to the gateway: none is there when the next request comes.
 */
export const IDLE = 15

/**
 * How such a function is started: where the gateway of each system is; the chain client's own is that of `system`, which
 * gives it keys as it gives them to the functions it starts itself.
 */
export async function startOptions(scene, system, more = {}) {
  const gatewayKeys = await scene.gateway.ask({ verb: 'keys', name: system })
  return { environment: { ...gatewaysOf(scene, system), ...more }, gatewayKeys }
}

function gatewaysOf({ ports, address }, system) {
  const gateways = Object.fromEntries(Object.entries(ports).map(([name, where]) => [name, { ...where, host: address }]))
  const { securePort, certificate } = gateways[system]
  return {
    GATEWAYS: JSON.stringify(gateways),
    quic_gateway: `https://${address}:${securePort}`,
    quic_gateway_ca: certificate,
    quic_idle: `${IDLE}ms`,
  }
}
