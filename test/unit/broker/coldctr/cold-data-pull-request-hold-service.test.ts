import { expect, test } from 'vitest'
import { ColdDataPullRequestHoldService } from '../../../../src/broker/coldctr/cold-data-pull-request-hold-service.js'
import { ok, type Reply } from '../../../../src/remoting/index.js'
import { brokerParts } from '../../../support/broker-parts.js'

function holds() {
  const parts = brokerParts()
  const service = new ColdDataPullRequestHoldService(parts)
  const answers: Reply[] = []
  const pull = (again: () => Reply | Promise<Reply> = ok) => {
    const hold = service.hold(again)
    hold?.attach(reply => answers.push(reply))
    return hold
  }
  return { ...parts, service, answers, pull }
}

test('a pull is held for 3 s and then pulled again', async () => {
  const { clock, service, answers, pull } = holds()
  pull()
  pull(async () => ok())
  await clock.advance(2999)
  expect([answers.length, service.size]).toEqual([0, 2])
  await clock.advance(1)
  expect([answers.length, service.size, clock.pending]).toEqual([2, 0, 0])
})

test('one whose client is gone is let go, one that fails leaves the others alone', async () => {
  const { clock, service, answers, pull } = holds()
  pull()?.abandon()
  const failing = pull(() => Promise.reject(new Error('no disk')))
  pull()
  expect([service.size, clock.pending]).toEqual([2, 2])
  await clock.advance(3000)
  expect([answers.length, service.size, failing?.settled]).toEqual([1, 0, true])
})

test('10000 wait at most; the end of the broker answers them', async () => {
  const { clock, service, answers, pull } = holds()
  for (let i = 0; i < 10_000; i++) pull()
  expect(pull()).toBeUndefined()
  await service.stop()
  expect([answers.length, service.size, clock.pending]).toEqual([10_000, 0, 0])
})
