import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { launch } from './clients.mjs'
import { root } from './tools.mjs'

/**
 * Runs mqadmin commands and checks their output, while a consumer and a producer are online.
 * @param {{ command: string[], namesrv: string, folder: string, own: boolean, cases: import('../mqadmin/commands.mjs').AdminCase[],
 *   report: (name: string, failure?: string) => void }} options own: by bin/mqadmin of this project instead of the official one
 */
export async function runAdmin({ command, namesrv, folder, own, cases, report }) {
  const { child, lines, ended } = launch({ command, args: [namesrv], folder })
  const timer = setTimeout(() => child.kill('SIGKILL'), 6 * 60_000)
  const answers = lines[Symbol.asyncIterator]()
  try {
    const place = parsePlace(await next(answers, 'READY', ended))
    const official = async args => {
      child.stdin.write(`${args.join('\t')}\n`)
      const [, out, err] = (await next(answers, 'RESULT', ended)).split(' ')
      return { out: fromBase64(out), err: fromBase64(err) }
    }
    for (const c of cases) {
      const args = [...c.args.map(a => fill(a, place)), '-n', namesrv]
      report(c.name, mismatch(c, await (own ? ours(args) : official(args)), place))
    }
  } catch (error) {
    report('runner', error.message)
  } finally {
    child.stdin.end()
    await ended
    clearTimeout(timer)
  }
}

function parsePlace(line) {
  const place = Object.fromEntries(
    line
      .split(' ')
      .slice(1)
      .map(word => word.split(/=(.*)/)),
  )
  return { ...place, new: `New-${place.topic}` }
}

async function next(answers, kind, ended) {
  for (;;) {
    const { value, done } = await answers.next()
    if (done) throw new Error(`the admin runner ended (${await ended}) where ${kind} was expected`)
    if (value.startsWith('ERROR ')) throw new Error(value.slice(6))
    if (value.startsWith(`${kind} `)) return value
  }
}

function fromBase64(word) {
  return word === '-' ? '' : Buffer.from(word, 'base64').toString('utf8')
}

function ours(args) {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [join(root, 'bin', 'mqadmin'), ...args],
      { timeout: 30_000, maxBuffer: 16 << 20 },
      (error, out, err) => resolve({ out, err: error && error.code === undefined ? `${err}${error.message}` : err }),
    )
  })
}

function fill(text, place) {
  return text.replace(/\{(\w+)\}/g, (whole, key) => place[key] ?? whole)
}

function pattern(text, place) {
  const literal = value => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(
    text.replace(/\{([a-zA-Z]+)\}/g, (whole, key) => (place[key] === undefined ? whole : literal(place[key]))),
    'm',
  )
}

function mismatch({ out = [], err = [], not = [] }, seen, place) {
  const lacks = (texts, stream) =>
    texts.filter(t => !pattern(t, place).test(seen[stream])).map(t => `${stream} lacks /${fill(t, place)}/`)
  const problems = [...lacks(out, 'out'), ...lacks(err, 'err')]
  for (const t of not) if (pattern(t, place).test(seen.out)) problems.push(`out has /${fill(t, place)}/`)
  if (problems.length === 0) return undefined
  return `${problems.join('; ')}; stdout: ${brief(seen.out)}; stderr: ${brief(seen.err)}`
}

function brief(text) {
  return JSON.stringify(text.length > 1200 ? `${text.slice(0, 1200)}...` : text)
}
