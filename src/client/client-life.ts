import { MQClientError } from './client-error.js'

export type ServiceState = 'CREATE_JUST' | 'RUNNING' | 'SHUTDOWN_ALREADY' | 'START_FAILED'

/** The states a client goes through: started once, stopped once. */
export class ClientLife {
  private current: ServiceState = 'CREATE_JUST'

  constructor(private readonly what: string) {}

  get state(): ServiceState {
    return this.current
  }

  get isRunning(): boolean {
    return this.current === 'RUNNING'
  }

  /** @throws MQClientError ERR_CLIENT_STATE unless running */
  assertRunning(): void {
    if (!this.isRunning)
      throw this.wrong(this.current === 'CREATE_JUST' ? 'call start() first' : 'it has been stopped; make a new one')
  }

  /**
   * Runs `start`, and `undo` when that fails.
   * @throws MQClientError ERR_CLIENT_STATE when it was started before
   */
  async start(start: () => void | Promise<void>, undo: () => void | Promise<void>): Promise<void> {
    if (this.current !== 'CREATE_JUST') throw this.wrong('maybe started once')
    this.current = 'RUNNING'
    try {
      await start()
    } catch (error) {
      this.current = 'START_FAILED'
      await undo()
      throw error
    }
  }

  /** Runs `stop` when it was running, else nothing. */
  async stop(stop: () => void | Promise<void>): Promise<void> {
    if (!this.isRunning) return
    this.current = 'SHUTDOWN_ALREADY'
    await stop()
  }

  private wrong(hint: string): MQClientError {
    return new MQClientError('ERR_CLIENT_STATE', `The ${this.what} service state not OK, ${this.current}: ${hint}`)
  }
}
