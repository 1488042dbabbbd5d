// The status page: asks for state.json every two seconds and draws it.

const EVERY = 2000
const SVG = 'http://www.w3.org/2000/svg'
const table = document.getElementById('functions')
const state = document.getElementById('state')

async function refresh() {
  try {
    const response = await fetch('state.json')
    if (!response.ok) throw new Error(`status ${response.status}`)
    const { functions, time } = await response.json()
    table.replaceChildren(...functions.map(row))
    state.className = ''
    state.textContent = `${functions.length} functions, as of ${new Date(time).toLocaleTimeString()}`
  } catch (error) {
    state.className = 'failed'
    state.textContent = `The gateway does not answer: ${error.message}`
  }
  setTimeout(refresh, EVERY)
}

function row(each) {
  const { latency, usage } = each
  const line = document.createElement('tr')
  line.dataset.function = each.name
  line.append(
    cell(element('strong', each.name), element('small', ` ${each.namespace}, early data: ${each.earlyData}`)),
    cell(`${each.availableReplicas} of ${each.replicas}`),
    cell(String(each.invocationCount)),
    cell(...share(each.sessions)),
    cell(latency ? `${ms(latency.p50)} / ${ms(latency.p95)}` : '–'),
    cell(latency ? curve(latency.recent) : '–'),
    cell(usage ? `${Math.round(usage.cpu)} m` : '–'),
    cell(usage ? `${(usage.totalMemoryBytes / 1e6).toFixed(0)} MB` : '–'),
  )
  return line
}

/** Of the sessions whose early data was judged, how many had it accepted. */
function share(sessions) {
  const all = Object.values(sessions).reduce((sum, each) => sum + each, 0)
  if (all === 0) return ['–']
  const accepted = sessions.accepted ?? 0
  const meter = Object.assign(document.createElement('meter'), { max: all, value: accepted })
  meter.title = Object.entries(sessions)
    .map(([result, count]) => `${result}: ${count}`)
    .join(', ')
  return [meter, `${Math.round((100 * accepted) / all)} %`]
}

/** The latest is on the right. */
function curve(values) {
  const highest = Math.max(...values, 1e-6)
  const points = values.map(
    (value, i) => `${(100 * i) / Math.max(1, values.length - 1)},${30 - (28 * value) / highest}`,
  )
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 100 32')
  svg.setAttribute('preserveAspectRatio', 'none')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', `latency of the last ${values.length} calls, up to ${ms(highest)}`)
  const line = document.createElementNS(SVG, 'polyline')
  line.setAttribute('points', points.join(' '))
  svg.append(line)
  return svg
}

function ms(seconds) {
  return `${(1000 * seconds).toFixed(1)} ms`
}

function cell(...content) {
  const made = document.createElement('td')
  made.append(...content)
  return made
}

function element(name, text) {
  return Object.assign(document.createElement(name), { textContent: text })
}

refresh()
