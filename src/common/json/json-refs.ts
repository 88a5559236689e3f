import { JsonSyntaxError } from './json-syntax-error.js'
import { isJsonObject, type JsonObject, type JsonValue, MAX_JSON_DEPTH } from './json-value.js'

/*
 * A second occurrence of one Java object is written as {"$ref":"PATH"}. PATH: `$` root, `.name`, `[index]`, where a
 * backslash escapes a character of a name; `..` and `@` name what the reference is inside of, so they end nowhere.
 */

/**
 * Replaces every `{"$ref":PATH}` below `root` by what it points at; null where it points nowhere or in a circle, so
 * that the result never has one. Throws {@link JsonSyntaxError} when nested too deep.
 */
export function resolveJsonRefs(root: JsonValue): JsonValue {
  return isContainer(root) && refPath(root) === undefined ? new Resolver(root).resolve() : null
}

/** An object, or an array, whose keys are its indexes. */
type Container = JsonObject

function isContainer(value: JsonValue | undefined): value is Container {
  return typeof value === 'object' && value !== null
}

function refPath(value: JsonValue): string | undefined {
  if (!isJsonObject(value) || !Object.hasOwn(value, '$ref')) return undefined
  const path = value.$ref
  return typeof path === 'string' && Object.keys(value).length === 1 ? path : undefined
}

class Resolver {
  private readonly inProgress = new Set<JsonValue>()
  private readonly done = new Set<JsonValue>()

  constructor(private readonly root: Container) {}

  resolve(): JsonValue {
    this.visit(this.root)
    return this.root
  }

  private visit(value: JsonValue): void {
    if (!isContainer(value) || this.done.has(value)) return
    if (this.inProgress.size > MAX_JSON_DEPTH) throw new JsonSyntaxError(`more than ${MAX_JSON_DEPTH} levels`)
    this.inProgress.add(value)
    for (const key of Object.keys(value)) this.visit(this.child(value, key))
    this.inProgress.delete(value)
    this.done.add(value)
  }

  /** The member `key` with a reference followed; what the reference leads to has been visited. */
  private child(container: Container, key: string): JsonValue {
    const value = container[key]!
    const path = refPath(value)
    if (path === undefined) return value
    // null for the time being, so that coming back here by a circle of references ends
    container[key] = null
    const target = this.target(path)
    const isCircle = this.inProgress.has(target)
    if (!isCircle) this.visit(target)
    container[key] = isCircle ? null : target
    return container[key]
  }

  private target(path: string): JsonValue {
    if (!path.startsWith('$')) return null
    let value: JsonValue = this.root
    for (const step of splitPath(path)) {
      if (!isContainer(value) || !Object.hasOwn(value, step)) return null
      value = this.child(value, step)
    }
    return value
  }
}

/** `$.a[0].b` as `['a', '0', 'b']`. */
function splitPath(path: string): string[] {
  const steps: string[] = []
  for (const [, name, index] of path.matchAll(/\.((?:\\.|[^.[\\])+)|\[(\d+)\]/gs)) {
    steps.push(index ?? name!.replace(/\\(.)/gs, '$1'))
  }
  return steps
}
