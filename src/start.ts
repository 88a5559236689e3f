import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { Producer, PushConsumer } from './client/index.js'
import { type CometMQ, startCometMQ } from './embed.js'
import { createLog } from './observability/index.js'
import { type Logger, MQError, runDaemon } from './util/index.js'

interface StartOptions {
  store: string
  namesrvPort: number
  brokerPort: number
  ip: string
  logLevel: 'debug' | 'info' | 'warn' | 'error'
  logFormat: 'text' | 'json'
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error']
const LOG_FORMATS = ['text', 'json']
const PROOF_TOPIC = 'CometMQProof'
const PROOF_TIMEOUT_MS = 15_000

/** What bin/cometmq does: NameServer and Broker in one process, proved with a message. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('cometmq').description(
    'A message broker that speaks RocketMQ. In production run bin/mqnamesrv and bin/mqbroker as separate daemons.',
  )
  program
    .version(packageVersion(), '-V, --version', 'print the version')
    .command('start', { isDefault: true })
    .showHelpAfterError(
      '(cometmq start --help lists the options; through npm they come after --: npm start -- --store DIR)',
    )
    .description('run NameServer and Broker in this process, prove them with a message, go on until Ctrl-C')
    .option('--store <dir>', 'folder of the message store', './cometmq-data')
    .option('--namesrv-port <port>', 'port of the NameServer', port, 9876)
    .option('--broker-port <port>', 'port of the Broker; port - 2 is used as well', port, 10911)
    .option('--ip <address>', 'address that clients are told to connect to', '127.0.0.1')
    .addOption(new Option('--log-level <level>', 'what is logged').choices(LOG_LEVELS).default('warn'))
    .addOption(new Option('--log-format <format>', 'how it is logged').choices(LOG_FORMATS).default('text'))
    .action(run)
  await program.parseAsync([...argv], { from: 'user' })
}

function packageVersion(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}

function port(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw new InvalidArgumentError('a port is 1 to 65535.')
  return value
}

async function run(options: StartOptions): Promise<void> {
  const log = createLog({ level: options.logLevel, format: options.logFormat })
  await runDaemon({
    name: 'cometmq',
    logger: log.logger,
    beforeExit: () => log.drained(),
    onExit: () => log.flush(),
    start: async () => {
      const began = performance.now()
      const running = await startCometMQ({
        store: resolve(options.store),
        namesrvPort: options.namesrvPort,
        brokerPort: options.brokerPort,
        ip: options.ip,
        logger: log.logger,
        portSettings: { namesrv: '--namesrv-port', broker: '--broker-port' },
      })
      try {
        say(`NameServer  ${running.namesrvAddr}`)
        say(`Broker      ${running.brokerAddr}   store ${running.storePath}`)
        say(`up in ${Math.round(performance.now() - began)} ms`)
        await prove(running, log.logger)
      } catch (error) {
        await running.stop()
        throw error
      }
      say(`CometMQ is ready: point clients at NameServer ${running.namesrvAddr}. Ctrl-C stops it.`)
      return running
    },
  })
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Sends a message and waits until a consumer has it. */
async function prove(running: CometMQ, logger: Logger): Promise<void> {
  const { namesrvAddr } = running
  const body = `it works, ${new Date().toISOString()}`
  const began = performance.now()
  let received: (text: string) => void = () => {}
  const arrival = new Promise<string>((resolveText, reject) => {
    received = resolveText
    setTimeout(
      () => reject(new MQError('ERR_PROOF', `the proof message did not come back in ${PROOF_TIMEOUT_MS} ms`)),
      PROOF_TIMEOUT_MS,
    ).unref()
  })
  const producer = new Producer({ namesrvAddr, group: 'cometmq_proof_producer', logger })
  const consumer = new PushConsumer({
    namesrvAddr,
    group: 'cometmq_proof_consumer',
    logger,
    onMessages: messages => {
      for (const message of messages) if (message.body.toString() === body) received(body)
      return 'CONSUME_SUCCESS'
    },
  })
  try {
    await producer.start()
    const sent = await producer.send({ topic: PROOF_TOPIC, body })
    await consumer.subscribe(PROOF_TOPIC, '*')
    await consumer.start()
    say(`sent        ${sent.msgId} to ${PROOF_TOPIC}, queue ${sent.queue.queueId}, offset ${sent.queueOffset}`)
    say(`received    "${await arrival}" ${Math.round(performance.now() - began)} ms after the producer started`)
  } finally {
    await Promise.allSettled([producer.stop(), consumer.stop()])
  }
}
