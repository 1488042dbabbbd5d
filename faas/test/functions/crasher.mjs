// A function that gives up soon after it listens.

setTimeout(() => process.exit(1), 50)

export function fetch() {
  return new Response('for now')
}
