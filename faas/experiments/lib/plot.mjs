export function plotOf() {
  return undefined
}
