import { describe, expect, test } from 'vitest'
import { Http3Error, Http3ErrorCode, Http3StreamError, http3ErrorName } from '../../src/http3/error-codes.ts'
import { defaultPriority, readPriority, readPriorityUpdate } from '../../src/http3/priority.ts'
import { assertNotReduced, defaultSettings, readSettings, writeSettings } from '../../src/http3/settings.ts'
import { bytes, hex } from './helpers.ts'

function codeOf(action: () => unknown): number {
  try {
    action()
  } catch (error) {
    return (error as Http3Error).code
  }
  return -1
}

describe('RFC 9114 §7.2.4: SETTINGS', () => {
  test('what is written is read, grease is ignored', () => {
    const settings = readSettings(writeSettings({ grease: 7 }))
    expect(settings).toEqual({
      ...defaultSettings,
      maxFieldSectionSize: 65_536,
      qpackMaxTableCapacity: 4096,
      qpackBlockedStreams: 64,
    })
  })
  test('what is 0 is left out', () => {
    const own = { maxFieldSectionSize: 1000, qpackTableCapacity: 0, qpackBlockedStreams: 0 }
    expect(hex(writeSettings(own))).toBe('0643e82100')
  })
  test.each([{ qpackTableCapacity: 65_537 }, { qpackBlockedStreams: -1 }])('%j: RangeError', own => {
    expect(() => writeSettings(own)).toThrow(RangeError)
  })
  test('all that are known', () => {
    expect(readSettings(bytes('01 4064 06 4400 07 10 08 01 33 01 6b61 4400 6b64 03 6b65 05'))).toEqual({
      qpackMaxTableCapacity: 100,
      maxFieldSectionSize: 1024,
      qpackBlockedStreams: 16,
      enableConnectProtocol: true,
      h3Datagram: true,
      webTransportDraft02: false,
      webTransport: false,
      webTransportLimits: { data: 1024, unidirectionalStreams: 3, bidirectionalStreams: 5 },
    })
    const webTransport = readSettings(
      writeSettings({ enableConnectProtocol: true, h3Datagram: true, webTransport: true }),
    )
    expect(webTransport).toMatchObject({ webTransport: true, webTransportDraft02: true, h3Datagram: true })
  })
  test('none', () => expect(readSettings(bytes(''))).toEqual(defaultSettings))
  test.each(['00 00', '02 00', '03 00', '04 00', '05 00'])('§7.2.4.1: setting of HTTP/2: %s', text => {
    expect(codeOf(() => readSettings(bytes(text)))).toBe(Http3ErrorCode.SettingsError)
  })
  test.each(['06 01 06 01', '08 02', '33 4002'])('H3_SETTINGS_ERROR: %s', text => {
    expect(codeOf(() => readSettings(bytes(text)))).toBe(Http3ErrorCode.SettingsError)
  })
  test('an unknown one may come twice', () => expect(readSettings(bytes('21 01 21 02'))).toEqual(defaultSettings))
  test.each(['06', '46', '06 40', '06 c000'])('cut short: H3_FRAME_ERROR: %s', text => {
    expect(codeOf(() => readSettings(bytes(text)))).toBe(Http3ErrorCode.FrameError)
  })
})

describe('RFC 9114 §7.2.4.2: remembered settings', () => {
  const remembered = {
    ...defaultSettings,
    maxFieldSectionSize: 1000,
    enableConnectProtocol: true,
    qpackMaxTableCapacity: 100,
  }
  test('equal or larger is fine', () => {
    assertNotReduced(remembered, remembered)
    assertNotReduced(remembered, { ...remembered, maxFieldSectionSize: 2000, h3Datagram: true })
  })
  test.each([
    { ...remembered, maxFieldSectionSize: 999 },
    { ...remembered, maxFieldSectionSize: Number.POSITIVE_INFINITY },
    { ...remembered, enableConnectProtocol: false },
  ])('reduced or left out: H3_SETTINGS_ERROR', actual => {
    expect(codeOf(() => assertNotReduced(remembered, actual))).toBe(Http3ErrorCode.SettingsError)
  })
})

describe('RFC 9218 §4: priority', () => {
  test.each([
    ['', 3, false],
    ['u=5, i', 5, true],
    ['i,u=0', 0, true],
    ['i=?0', 3, false],
    ['i=?1;x=2', 3, true],
    ['u=8', 3, false],
    ['u=-1, u=2', 2, false],
    ['u="1", i=1', 3, false],
    ['other=1, u=7;a;b', 7, false],
    ['\u0000,,=,', 3, false],
  ])('%j', (text, urgency, isIncremental) => {
    expect(readPriority(text)).toEqual({ urgency, isIncremental })
  })
  test('§7.2: PRIORITY_UPDATE', () => {
    expect(readPriorityUpdate(bytes('04 753d31'))).toEqual({ id: 4, priority: { urgency: 1, isIncremental: false } })
    expect(readPriorityUpdate(bytes('4008')).priority).toEqual(defaultPriority)
    expect(codeOf(() => readPriorityUpdate(bytes('01')))).toBe(Http3ErrorCode.IdError)
    expect(codeOf(() => readPriorityUpdate(bytes('')))).toBe(Http3ErrorCode.FrameError)
    expect(codeOf(() => readPriorityUpdate(bytes('40')))).toBe(Http3ErrorCode.FrameError)
  })
})

test('errors say what they are', () => {
  expect(http3ErrorName(0x105)).toBe('FrameUnexpected')
  expect(http3ErrorName(0x1234)).toBe('0x1234')
  expect(new Http3Error(0x101, 'x')).toMatchObject({ name: 'Http3Error', code: 0x101, message: 'x' })
  expect(new Http3StreamError(Http3ErrorCode.RequestRejected, 'x', true).isRetryable).toBe(true)
  expect(new Http3StreamError(Http3ErrorCode.RequestCancelled, 'x').isRetryable).toBe(false)
})
