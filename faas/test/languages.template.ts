// Functions of OpenFaaS' templates in three languages, as they are published, from an unchanged stack.yaml.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readStack, readStackFile, substitute } from '../src/gateway/stack-file.ts'

const stack = fileURLToPath(new URL('openfaas/stack.yaml', import.meta.url))
let gateway: ChildProcess
let url = ''
let said = ''

beforeAll(async () => {
  const program = fileURLToPath(new URL('../dist/gateway/main.js', import.meta.url))
  const ports = ['--port', '0', '--secure-port', '0', '--metrics-port', '0']
  gateway = spawn(process.execPath, [program, stack, ...ports], { stdio: ['ignore', 'pipe', 'pipe'] })
  await new Promise<void>((resolve, reject) => {
    const read = (data: Buffer): void => {
      said += data
      url = /^functions {2}(http:\/\/\S+)\/NAME$/m.exec(said)?.[1] ?? ''
      if (url !== '') resolve()
    }
    gateway.stdout?.on('data', read)
    gateway.stderr?.on('data', read)
    gateway.once('exit', () => reject(new Error(said)))
  })
})

afterAll(async () => {
  const gone = new Promise(resolve => gateway.once('exit', resolve))
  gateway.kill('SIGTERM')
  await gone
})

async function call(name: string, body: string, type = 'text/plain'): Promise<Response> {
  return fetch(`${url}/${name}`, { method: 'POST', body, headers: { 'content-type': type } })
}

test('Node: module.exports = async (event, context)', async () => {
  const response = await call('node-fn?q=1', '{"a":1}', 'application/json')
  expect([response.status, response.headers.get('x-made-by')]).toEqual([201, 'node'])
  expect(await response.json()).toEqual({
    body: '{"a":1}',
    'content-type': 'application/json',
    greeting: 'from a file',
    query: { q: '1' },
  })
})

test('Python: handle(event, context), which calls another function by the address it is given', async () => {
  const response = await call('python-fn?q=1', 'abc')
  expect([response.status, response.headers.get('x-made-by')]).toEqual([202, 'python'])
  expect(await response.json()).toEqual({ method: 'POST', said: 'ABC', word: 'imported', q: '1' })
})

test('Python: handle(req), of Flask and of a process for each request', async () => {
  const flask = await call('flask-fn', 'abc')
  expect([flask.status, await flask.text()]).toEqual([203, 'flask: abc'])
  expect(await (await call('classic-fn', 'abc')).text()).toBe('classic: abc\n')
})

test('a shell script, and a program', async () => {
  expect(await (await call('bash-fn', 'abc')).text()).toBe('POST /\nABC')
  expect(await (await call('binary-fn', 'abc')).text()).toBe('ABC')
})

test('what it asks for and does not get is said', async () => {
  expect(said).toContain('python-fn: limits: not for processes')
  expect((await readStackFile(stack)).notes).toHaveLength(1)
})

test('what cannot be run is named, with what to do', () => {
  expect(() => readStack('functions: {f: {lang: golang-http, handler: ./f}}')).toThrow('say what to run (`fprocess`)')
  const placeholders = ['$', '{A}-$', '{B:-b}'].join('')
  expect(substitute(placeholders, { A: 'a' })).toBe('a-b')
})
