import { RequestCode } from '../common/index.js'
import { NotifyMinBrokerIdChangeRequestHeader, type PeerPolicy, RemotingClient } from '../remoting/index.js'
import { type Clock, errorText, type Logger } from '../util/index.js'
import type { MinBrokerIdChange } from './min-broker-id-change.js'

/** Tells brokers who has the lowest id of their name (code 905, one-way). */
export class MinBrokerIdNotifier {
  private readonly client: RemotingClient

  constructor(
    private readonly options: { readonly clock: Clock; readonly logger: Logger; readonly policy: PeerPolicy },
  ) {
    this.client = new RemotingClient(options)
  }

  notify(change: MinBrokerIdChange): void {
    const { brokerName, recipients, ...header } = change
    const fields = { event: 'min-broker-id-changed', brokerName, minBrokerId: change.minBrokerId }
    const text = `the lowest id of ${brokerName} is ${change.minBrokerId} (${change.minBrokerAddr})`
    this.options.logger.info(fields, `${text}; telling ${recipients.join(', ')}`)
    const request = {
      code: RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE,
      extFields: NotifyMinBrokerIdChangeRequestHeader.encode(header),
    }
    for (const recipient of recipients) {
      this.client.invokeOneway(recipient, request).catch((error: unknown) => {
        // a broker that was not reached learns of it with its next registration
        this.options.logger.warn(
          { ...fields, recipient, err: errorText(error) },
          `could not tell ${recipient}: ${errorText(error)}`,
        )
      })
    }
  }

  stop(): void {
    this.client.stop()
  }
}
