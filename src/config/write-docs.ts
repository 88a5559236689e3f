import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderGuide } from './render-guide.js'
import { renderSamples } from './render-samples.js'

/** `npm run docs:config`: writes the configuration guide and the sample files from the tables. */
const root = fileURLToPath(new URL('../../', import.meta.url))
const files = new Map([['docs/guides/configuration.md', renderGuide()]])
for (const [path, text] of renderSamples()) files.set(join('conf', path), text)
for (const [path, text] of files) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
process.stdout.write(`${files.size} files written below ${root}\n`)
