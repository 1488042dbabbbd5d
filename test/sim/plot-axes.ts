// The frame of a diagram: axes with round numbers and units.

export interface Panel {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Axis {
  readonly label: string
  /** The end of the axis, and the distance of its lines. */
  readonly most: number
  readonly step: number
  /** Of the values, one that is shown as 1. */
  readonly unit: number
}

/** Lines on an axis, about. */
const LINES = 6

/** An axis from 0 to `most` or a little more. */
export function axisOf(most: number, label: string, unit: number): Axis {
  const rough = most / unit / LINES
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = unit * power * ([1, 2, 5, 10].find(factor => factor * power >= rough) as number)
  return { label, most: most * 1.02, step, unit }
}

/** The box of a diagram, its lines and numbers. */
export function frame(panel: Panel, time: Axis, values: Axis): string {
  const { x, y, width, height } = panel
  const drawn = [`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="#bbb"/>`]
  for (const at of ticks(values)) {
    const line = (y + height * (1 - at / values.most)).toFixed(1)
    drawn.push(`<path d="M${x} ${line}h${width}" stroke="#e8e8e8"/>`)
    drawn.push(`<text x="${x - 6}" y="${Number(line) + 4}" text-anchor="end">${numeral(at, values)}</text>`)
  }
  for (const at of ticks(time)) {
    const line = (x + (width * at) / time.most).toFixed(1)
    drawn.push(`<path d="M${line} ${y}v${height}" stroke="#f0f0f0"/>`)
    drawn.push(`<text x="${line}" y="${y + height + 16}" text-anchor="middle">${numeral(at, time)}</text>`)
  }
  const middle = y + height / 2
  drawn.push(
    `<text transform="translate(18,${middle}) rotate(-90)" text-anchor="middle" fill="#555">${values.label}</text>`,
    `<text x="${x + width}" y="${y + height + 30}" text-anchor="end" fill="#555">${time.label}</text>`,
  )
  return drawn.join('\n')
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

function ticks({ most, step }: Axis): number[] {
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step)
}

function numeral(value: number, { step, unit }: Axis): string {
  return (value / unit).toFixed(Math.max(0, -Math.floor(Math.log10(step / unit))))
}
