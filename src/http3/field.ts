// A field line (RFC 9110 §5): a name in lower case and a value, both as strings of bytes (one char, one byte).

export type Field = readonly [name: string, value: string]

/** The size RFC 9114 §4.2.2 counts for a field: its bytes plus 32. */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + FIELD_OVERHEAD
}

export function fieldSectionSize(fields: readonly Field[]): number {
  let size = 0
  for (const [name, value] of fields) size += fieldSize(name, value)
  return size
}

export const FIELD_OVERHEAD = 32
