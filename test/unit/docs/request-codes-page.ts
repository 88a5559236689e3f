import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerController } from '../../../src/broker/controller.js'
import { brokerRoutes } from '../../../src/broker/processors/index.js'
import { PullService } from '../../../src/broker/pull/pull-service.js'
import { SendService } from '../../../src/broker/put/send-service.js'
import { SendBackService } from '../../../src/broker/retry/send-back-service.js'
import { TransactionalMessageService } from '../../../src/broker/transaction/transactional-message-service.js'
import { RequestTable } from '../../../src/client/request-table.js'
import { clientRoutes } from '../../../src/client/server-requests.js'
import { CometRequestCode, RequestCode } from '../../../src/common/index.js'
import { brokerSettings } from '../../../src/config/index.js'
import type { NamesrvContext } from '../../../src/namesrv/context.js'
import { namesrvRoutes } from '../../../src/namesrv/processors/index.js'
import type { Route } from '../../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../../src/util/index.js'
import { tempDir } from '../../support/temp-dir.js'

const root = join(import.meta.dirname, '../../..')

/** Why a code is answered by nobody here, by code or first and last code. */
export const UNANSWERED: readonly (readonly [from: number, to: number, why: string])[] = [
  [13, 13, 'declared by Java, answered by nobody'],
  [22, 23, 'declared by Java, answered by nobody'],
  [27, 27, 'declared by Java, answered by nobody'],
  [47, 47, 'declared by Java, answered by nobody'],
  [209, 214, 'declared by Java, answered by nobody'],
  [301, 302, 'class filters: removed from Java'],
  [354, 355, 'no RocksDB here'],
  [400, 402, 'later work: POP'],
  [513, 513, 'later work: static topics'],
  [902, 903, 'no broker container here'],
  [905, 908, 'later work: replication'],
  [1001, 1018, 'later work: replication (controller)'],
  [3001, 3010, 'later work: security'],
  [200050, 200151, 'later work: POP'],
]

interface Member {
  answers: ReadonlySet<number>
  sends: ReadonlySet<string>
}

/** `docs/protocol/request-codes.md`, from the route lists and the sources. */
export function renderRequestCodes(): string {
  const members = [
    { answers: codesOf(namesrv()), sends: namedIn('namesrv') },
    { answers: codesOf(broker()), sends: namedIn('broker') },
    { answers: codesOf(client()), sends: namedIn('client') },
  ]
  return [
    '# Request codes',
    '',
    'Every request code of RocketMQ, and who of CometMQ answers it or sends it. A code that is not answered gets code 3',
    '(`REQUEST_CODE_NOT_SUPPORTED`) and the connection goes on. Made from the route lists: `npm run docs:protocol`.',
    '',
    ...table(Object.entries(RequestCode), members),
    '',
    '## Codes that RocketMQ does not have',
    '',
    ...table(Object.entries(CometRequestCode), members),
    '',
  ].join('\n')
}

/** Codes no server or client of ours answers. */
export function unansweredCodes(): number[] {
  const answered = [namesrv(), broker(), client()].map(codesOf)
  return Object.values(RequestCode).filter(code => !answered.some(codes => codes.has(code)))
}

function table(codes: readonly (readonly [string, number])[], members: readonly Member[]): string[] {
  const rows = codes.map(([name, code]) => {
    const cells = members.map(({ answers, sends }) => (answers.has(code) ? 'answers' : sends.has(name) ? 'sends' : ''))
    const why = cells.includes('answers') ? '' : UNANSWERED.find(([from, to]) => code >= from && code <= to)?.[2]
    return `| ${[code, name, ...cells, why ?? ''].join(' | ')} |`.replaceAll(/ {2,}/g, ' ')
  })
  return ['| code | name | NameServer | Broker | client library | |', '|---|---|---|---|---|---|', ...rows]
}

function codesOf(routes: readonly Route[]): Set<number> {
  return new Set(routes.map(({ code }) => code))
}

/** Names of codes in the sources of a folder. */
function namedIn(folder: string): Set<string> {
  const found = new Set<string>()
  const paths = readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })
  for (const path of paths.filter(name => name.endsWith('.ts'))) {
    const text = readFileSync(join(root, 'src', folder, path), 'utf8')
    for (const [, name] of text.matchAll(/RequestCode\.([A-Z_0-9]+)/g)) found.add(name!)
  }
  return found
}

/** Route factories keep what they are handed and use it when a request comes: the names are enough to list them. */
function namesrv(): Route[] {
  return namesrvRoutes({} as NamesrvContext)
}

function broker(): Route[] {
  const settings = brokerSettings.create({ storePathRootDir: tempDir(), listenPort: 10911 })
  const parts = { clock: systemClock, logger: silentLogger }
  const { context } = new BrokerController({ ...parts, settings: settings.values, configuration: settings })
  return brokerRoutes(context, {
    sends: new SendService(context),
    pulls: new PullService(context),
    sendBacks: new SendBackService(context),
    transactions: new TransactionalMessageService(context),
  })
}

function client(): Route[] {
  return clientRoutes({
    clock: systemClock,
    logger: silentLogger,
    requests: new RequestTable(systemClock),
    consumer: () => undefined,
    producer: () => undefined,
    wakeRebalance: () => undefined,
  })
}
