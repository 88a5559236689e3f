import { describe, expect, test } from 'vitest'
import { runsLauncher } from '../../../../src/admin/shutdown/find-daemons.js'
import { type ShutdownHost, shutdown } from '../../../../src/admin/shutdown/shutdown.js'
import { ManualClock } from '../../../support/manual-clock.js'

function host(running: number[], stopsAfterMs: number, clock = new ManualClock()) {
  const seen = { out: '', err: '', launchers: [] as string[], terminated: [] as number[] }
  const fake: ShutdownHost = {
    clock,
    findDaemons: async launcher => {
      seen.launchers.push(launcher)
      return running
    },
    terminate: pid => void seen.terminated.push(pid),
    isRunning: () => clock.monotonic() < stopsAfterMs,
    stdout: text => void (seen.out += text),
    stderr: text => void (seen.err += text),
  }
  return { fake, seen, clock }
}

describe('mqshutdown', () => {
  test('says what Java says, sends SIGTERM, and waits', async () => {
    const { fake, seen, clock } = host([4711, 4712], 450)
    let code: number | undefined
    void shutdown(['broker'], fake).then(result => (code = result))
    await clock.advance(400)
    expect(code).toBeUndefined()
    await clock.advance(100)
    expect(code).toBe(0)
    expect(seen).toEqual({
      out: 'The mqbroker(4711 4712) is running...\nSend shutdown request to mqbroker(4711 4712) OK\n',
      err: '',
      launchers: ['mqbroker'],
      terminated: [4711, 4712],
    })
  })

  test('a daemon that does not end is named, with exit code 1', async () => {
    const { fake, seen, clock } = host([7], Number.POSITIVE_INFINITY)
    const code = shutdown(['namesrv', '--wait', '2'], fake)
    await clock.advance(2100)
    expect(await code).toBe(1)
    expect(seen.err).toMatch(/^mqnamesrv\(7\) still runs after 2 s/)
  })

  test('--wait 0 does not wait', async () => {
    expect(await shutdown(['namesrv', '--wait', '0'], host([7], Number.POSITIVE_INFINITY).fake)).toBe(0)
  })

  test.each([
    ['broker', 'No mqbroker running.\n'],
    ['namesrv', 'No mqnamesrv running.\n'],
    ['brokerContainer', 'No broker container running.\n'],
  ])('none of %s', async (word, text) => {
    const { fake, seen } = host([], 0)
    expect(await shutdown([word], fake)).toBe(1)
    expect(seen.out).toBe(text)
  })

  test('other words print the usage', async () => {
    const { fake, seen } = host([1], 0)
    expect([await shutdown([], fake), await shutdown(['all'], fake), await shutdown(['toString'], fake)]).toEqual([
      0, 0, 0,
    ])
    expect(await shutdown(['broker', '--now'], fake)).toBe(1)
    expect(seen.out).toBe('Usage: mqshutdown broker | namesrv | controller | proxy\n'.repeat(4))
    expect(seen.terminated).toEqual([])
  })
})

test.each([
  ['node /opt/cometmq/bin/mqbroker -c x', true],
  ['/usr/bin/node --max-old-space-size=4096 bin/mqbroker', true],
  ['node --import x.js bin/mqbroker', true],
  ['node bin/mqnamesrv mqbroker', false],
  ['node bin/mqadmin -n mqbroker', false],
  ['sh bin/mqbroker', false],
  ['vim bin/mqbroker', false],
  ['', false],
])('%s: is it mqbroker? %s', (line, expected) => {
  expect(runsLauncher(line.split(' '), 'mqbroker')).toBe(expected)
})
