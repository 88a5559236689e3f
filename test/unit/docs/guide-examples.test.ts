import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const guides = join(root, 'docs/guides')

/** What examples use without saying where it comes from. */
const prelude = `
import {
  AdminClient, bySql, LitePullConsumer, type MessageExt, Producer, PushConsumer, startCometMQ, TransactionProducer,
} from 'cometmq'
declare const namesrvAddr: string
declare const body: string
declare const orderId: string
declare const replies: Producer
interface Order { id: string }
declare const order: Order
declare function book(what: unknown, id?: string): boolean
declare function isBooked(id: string | undefined): boolean
declare function isClosed(message: MessageExt | undefined): boolean
declare function forget(key: string | undefined): void
`

/** What an example only uses; what it makes itself is its own. */
const given = [
  'producer: Producer',
  'consumer: PushConsumer',
  'admin: AdminClient',
  'handle: (messages: readonly MessageExt[]) => Promise<void>',
]

/** The package without the daemons, which take long to read; what one example wants of them is written out. */
const packageFile = join(guides, 'cometmq.ts')
const packageText = `
export * from '../../src/client/index.js'
export { type MessageExt } from '../../src/common/index.js'
export declare function startCometMQ(): Promise<{ namesrvAddr: string; stop(): Promise<void> }>
`

interface Example {
  readonly page: string
  readonly text: string
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(join(guides, page), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(match => ({ page, text: match[1]! }))
}

/** The example as a module: with what it takes for granted, unless it imports for itself. */
function moduleOf({ text }: Example): string {
  const missing = given.filter(name => !new RegExp(`const ${name.split(':')[0]} = `).test(text))
  const before = `${prelude}${missing.map(name => `declare const ${name}\n`).join('')}`
  const isWhole = text.includes("from 'cometmq'")
  return `${isWhole ? '' : before}${text}\nexport {}\n`.replaceAll("'cometmq'", "'./cometmq.js'")
}

function errorsIn(examples: readonly Example[]): string[] {
  const files = new Map(examples.map((example, i) => [join(guides, `example-${i}.ts`), example]))
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
  }
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  const sourceOf = (path: string): string | undefined => {
    const example = files.get(path)
    return path === packageFile ? packageText : example && moduleOf(example)
  }
  host.fileExists = path => sourceOf(path) !== undefined || fileExists(path)
  host.readFile = path => sourceOf(path) ?? readFile(path)
  host.getSourceFile = (path, ...more) => {
    const source = sourceOf(path)
    return source === undefined ? getSourceFile(path, ...more) : ts.createSourceFile(path, source, more[0])
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return [...files].flatMap(([path, { page }]) => {
    const file = program.getSourceFile(path)!
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    return found.map(({ messageText, start = 0, length = 0 }) => {
      const where = file.text.slice(start, start + length).split('\n')[0]
      return `${page}: ${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}

const capabilities = [
  'broadcasting.md',
  'delayed-messages.md',
  'filters.md',
  'light-queues.md',
  'message-trace.md',
  'offsets.md',
  'ordered-messages.md',
  'request-reply.md',
  'retry-and-dead-letters.md',
  'timer-messages.md',
  'transactions.md',
  'where-a-group-begins.md',
]

describe('guides', () => {
  test.each(capabilities)('%s has an example in Java, one in TypeScript, and what the operator sees', page => {
    const text = readFileSync(join(guides, page), 'utf8')
    expect(text).toMatch(/^```java$/m)
    expect(text).toMatch(/^```ts$/m)
    expect(text).toMatch(/^## (What the operator sees|For operators)$/m)
  })

  test('their TypeScript examples compile', () => {
    const pages = readdirSync(guides).filter(name => name.endsWith('.md'))
    const examples = pages.flatMap(examplesOf)
    expect(examples.length).toBeGreaterThan(capabilities.length)
    expect(errorsIn(examples)).toEqual([])
  }, 90_000)
})
