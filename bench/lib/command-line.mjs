// PROGRAM NAME [--json] [--quick] [--save] [--samples N]: how what measures is asked.

import { parseArgs } from 'node:util'

/** `names`: what there is. Ends the process, with a word why, when something else is asked for. */
export function commandLine(program, names) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      samples: { type: 'string' },
    },
  })
  const [name] = positionals
  if (!names.includes(name))
    refuse(program, `${name === undefined ? 'which one?' : `there is no ${name}.`} ${names.join(', ')}`)
  const samples = values.samples === undefined ? undefined : Number(values.samples)
  if (samples !== undefined && !(Number.isInteger(samples) && samples > 0)) {
    refuse(program, `--samples wants a number, not '${values.samples}'`)
  }
  return { ...values, name, samples }
}

function refuse(program, reason) {
  console.error(`${program}: ${reason}`)
  process.exit(2)
}
