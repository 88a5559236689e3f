import { expect, onTestFinished, test, vi } from 'vitest'
import { SlotDelivery } from '../../../../src/broker/timer/slot-delivery.js'
import { eventually } from '../../../support/eventually.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { passTime, TimerBroker } from '../../../support/timer-broker.js'

test('a check point between the last message of a slot and its end knows that message as delivered', async () => {
  let broker = await TimerBroker.open({ clock: new ManualClock() })
  onTestFinished(() => broker.dispose())
  const { clock } = broker
  let checkPoints = 0
  const run = SlotDelivery.prototype.run
  const spy = vi.spyOn(SlotDelivery.prototype, 'run').mockImplementation(async function (this: SlotDelivery, slice) {
    const state = await run.call(this, slice)
    if (state === 'idle') {
      await (broker.service as unknown as { flush(): Promise<void> }).flush()
      checkPoints++
    }
    return state
  })
  onTestFinished(() => spy.mockRestore())
  broker.send('M', { TIMER_DELIVER_MS: String(clock.now() + 2000) })
  await eventually(async () => {
    await passTime(clock, 100)
    return checkPoints > 0
  }, 'the check point')
  expect((await broker.delivered()).length).toBe(1)
  broker = await broker.killed()
  await passTime(clock, 5000)
  expect((await broker.delivered()).length).toBe(1)
})
