import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const here = dirname(dirname(fileURLToPath(import.meta.url)))
export const root = dirname(dirname(here))
const java = join(here, 'java')
const cache = join(root, 'node_modules', '.cache', 'interop')

/** What of the toolchains is there; `missing` says in words what is not, and so what cannot run. */
export function findTools() {
  const has = (command, args) => {
    try {
      execFileSync(command, args, { stdio: 'ignore', timeout: 60_000 })
      return true
    } catch {
      return false
    }
  }
  const jdk = has('javac', ['-version']) && has('java', ['-version'])
  const maven = has('mvn', ['-v'])
  const go = has('go', ['version'])
  const missing = []
  if (!jdk) missing.push('no JDK (javac, java): the Java clients and mqadmin are skipped')
  if (!maven) missing.push('no Maven (mvn): the Java clients and mqadmin are skipped')
  if (!go) missing.push('no Go (go): the Go client is skipped')
  return { java: jdk && maven, go, missing }
}

/** Compiles the scenarios of both client releases unless they are not needed, and the Java broker's jars where asked; a repeated call is a matter of hashes. */
export function buildJava({ server, clients = true }) {
  if (clients) {
    build(
      'java-clients',
      java,
      ['pom.xml', 'scenarios', 'client-4.9', 'client-5.3'],
      ['client-4.9/target', 'client-5.3/target'],
      () => run('mvn', ['-q', '-B', '-ntp', '-f', join(java, 'pom.xml'), 'clean', 'compile'], java),
    )
  }
  if (!server) return
  build('java-server', java, ['pom.xml', 'server'], ['server/target'], () =>
    run('mvn', ['-q', '-B', '-ntp', '-f', join(java, 'server', 'pom.xml'), 'clean', 'compile'], java),
  )
}

/** @returns the path of the Go runner */
export function buildGo() {
  const binary = join(cache, 'go-scenarios')
  mkdirSync(cache, { recursive: true })
  run('go', ['build', '-mod=readonly', '-o', binary, '.'], join(here, 'go'))
  return binary
}

/** The class path of a module: its classes and the jars beside them. */
export function classPath(module) {
  const target = join(java, module, 'target')
  return `${join(target, 'classes')}:${join(target, 'lib')}/*`
}

function build(name, base, sources, outputs, make) {
  const stamp = join(cache, `${name}.sha256`)
  const hash = hashOf(sources.map(s => join(base, s)))
  const made = outputs.every(o => existsSync(join(base, o)))
  if (made && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  make()
  mkdirSync(cache, { recursive: true })
  writeFileSync(stamp, hash)
}

function hashOf(paths) {
  const hash = createHash('sha256')
  const visit = path => {
    if (statSync(path).isFile()) return hash.update(path).update(readFileSync(path))
    for (const name of readdirSync(path).sort()) if (name !== 'target') visit(join(path, name))
  }
  for (const path of paths) visit(path)
  return hash.digest('hex')
}

function run(command, args, cwd) {
  try {
    execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 10 * 60_000, maxBuffer: 64 << 20 })
  } catch (error) {
    const output = `${error.stdout ?? ''}${error.stderr ?? ''}`.slice(-4000)
    throw new Error(`${command} ${args.join(' ')} failed:\n${output || error.message}`, { cause: error })
  }
}
