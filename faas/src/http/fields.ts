// Header fields of a message that is passed on: a list, whose names are in lower case.

export type Field = readonly [name: string, value: string]

/** What is asked of them. `Headers` are some. */
export interface Fields extends Iterable<readonly [string, string]> {
  get(name: string): string | null
  has(name: string): boolean
}

export interface MutableFields extends Fields {
  /** In the place of those of that name. */
  set(name: string, value: string): void
}

export class FieldList implements MutableFields {
  #list: Field[]

  /** Takes the list for its own. */
  constructor(list: Field[] = []) {
    this.#list = list
  }

  /** As node has them: names and values in turn. Pseudo-header fields are none. */
  static fromRaw(raw: readonly string[]): FieldList {
    const list: Field[] = []
    for (let i = 0; i < raw.length; i += 2) {
      const name = (raw[i] as string).toLowerCase()
      if (!name.startsWith(':')) list.push([name, raw[i + 1] as string])
    }
    return new FieldList(list)
  }

  /** RFC 9110 §5.3: several of one name are one. */
  get(name: string): string | null {
    let found: string | null = null
    for (const field of this.#list) if (field[0] === name) found = found === null ? field[1] : `${found}, ${field[1]}`
    return found
  }

  has(name: string): boolean {
    return this.#list.some(field => field[0] === name)
  }

  set(name: string, value: string): void {
    if (this.has(name)) this.#list = this.#list.filter(field => field[0] !== name)
    this.#list.push([name, value])
  }

  [Symbol.iterator](): Iterator<Field> {
    return this.#list[Symbol.iterator]()
  }
}
