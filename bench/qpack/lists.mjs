// Field lists as browsers, servers and programs send them, made up by a rule: the same every time.

const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'
const cookie = 'session=7f3c9a1e5b2d4c8fa0b1e6d7c3f29a84; theme=dark; consent=granted-analytics-2026-11-02'
const origin = 'https://shop.example.com'
const kinds = [
  { path: i => `/assets/js/chunk-${hash(i)}.js`, accept: '*/*', dest: 'script', type: 'application/javascript' },
  { path: i => `/assets/css/${hash(i)}.css`, accept: 'text/css,*/*;q=0.1', dest: 'style', type: 'text/css' },
  {
    path: i => `/images/product/${i}/large.webp`,
    accept: 'image/avif,image/webp,image/*,*/*;q=0.8',
    dest: 'image',
    type: 'image/webp',
  },
  {
    path: i => `/api/v2/items/${1000 + i}?fields=price,stock`,
    accept: 'application/json',
    dest: 'empty',
    type: 'application/json',
  },
]

/** A browser that looks at ten pages with 30 resources each. */
export function requests() {
  const lists = []
  for (let page = 0; page < 10; page++) {
    lists.push(navigation(page))
    for (let i = 0; i < 30; i++) lists.push(resource(page, 30 * page + i))
  }
  return lists
}

/** What its server answers. */
export function responses() {
  return requests().map((_, i) => {
    const { type } = kinds[i % kinds.length]
    return [
      [':status', i % 17 === 5 ? '304' : '200'],
      ['content-type', type],
      ['content-length', String(900 + ((i * 7919) % 60_000))],
      ['date', `Mon, 30 Nov 2026 09:${String((i / 40) | 0).padStart(2, '0')}:${String(i % 40).padStart(2, '0')} GMT`],
      ['server', 'shop/4.2'],
      ['etag', `"${hash(i)}"`],
      ['last-modified', `Tue, ${String(1 + (i % 28)).padStart(2, '0')} Sep 2026 08:00:00 GMT`],
      ['cache-control', i % 4 === 3 ? 'private, max-age=0' : 'public, max-age=31536000, immutable'],
      ['vary', 'accept-encoding'],
      ['strict-transport-security', 'max-age=31536000; includesubdomains'],
      ['x-content-type-options', 'nosniff'],
      ['alt-svc', 'h3=":443"; ma=86400'],
      ['server-timing', `total;dur=${(i * 31) % 97}`],
    ]
  })
}

/** A program that calls an interface, with a token and an id for each call. */
export function calls() {
  return Array.from({ length: 300 }, (_, i) => [
    [':method', i % 3 === 0 ? 'POST' : 'GET'],
    [':scheme', 'https'],
    [':authority', 'api.example.com'],
    [':path', `/v1/accounts/${i % 12}/orders`],
    ['user-agent', 'node'],
    ['accept', 'application/json'],
    ['authorization', 'Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SGVsbG8gdGhlcmUgYW5vdGhlciB0b2tlbg'],
    ['x-request-id', `${hash(i)}-${hash(i + 1)}`],
    ...(i % 3 === 0
      ? [
          ['content-type', 'application/json'],
          ['content-length', String(40 + (i % 50))],
        ]
      : []),
  ])
}

function navigation(page) {
  return [
    ...pseudo(`/category/${hash(page)}`),
    ...clientHints,
    ['upgrade-insecure-requests', '1'],
    ['user-agent', userAgent],
    ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
    ['sec-fetch-site', 'same-origin'],
    ['sec-fetch-mode', 'navigate'],
    ['sec-fetch-user', '?1'],
    ['sec-fetch-dest', 'document'],
    ['accept-encoding', 'gzip, deflate, br, zstd'],
    ['accept-language', 'en-GB,en;q=0.9,de;q=0.8'],
    ['cookie', cookie],
    ['priority', 'u=0, i'],
  ]
}

function resource(page, i) {
  const { path, accept, dest } = kinds[i % kinds.length]
  return [
    ...pseudo(path(i)),
    ...clientHints,
    ['user-agent', userAgent],
    ['accept', accept],
    ['sec-fetch-site', 'same-origin'],
    ['sec-fetch-mode', dest === 'empty' ? 'cors' : 'no-cors'],
    ['sec-fetch-dest', dest],
    ['referer', `${origin}/category/${hash(page)}`],
    ['accept-encoding', 'gzip, deflate, br, zstd'],
    ['accept-language', 'en-GB,en;q=0.9,de;q=0.8'],
    ['cookie', cookie],
    ['priority', dest === 'image' ? 'u=5, i' : 'u=1'],
  ]
}

function pseudo(path) {
  return [
    [':method', 'GET'],
    [':authority', 'shop.example.com'],
    [':scheme', 'https'],
    [':path', path],
  ]
}

const clientHints = [
  ['sec-ch-ua', '"Chromium";v="156", "Not)A;Brand";v="8"'],
  ['sec-ch-ua-mobile', '?0'],
  ['sec-ch-ua-platform', '"Linux"'],
]

function hash(i) {
  return (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')
}
