/** Request frames of the loads, encoded once; only the opaque changes. */

const OPAQUE_DIGITS = 10
export const OPAQUE_BASE = 1_000_000_000

/** @returns {{ frame: Buffer, opaqueAt: number, messages: number }} */
export function jsonFrame(code, ext, body = Buffer.alloc(0), { messages = 1, flag = 0 } = {}) {
  const head = `{"code":${code},"extFields":${JSON.stringify(ext)},"flag":${flag},"language":"JAVA","opaque":`
  const header = Buffer.from(`${head}${OPAQUE_BASE},"serializeTypeCurrentRPC":"JSON","version":479}`)
  const lengths = Buffer.alloc(8)
  lengths.writeInt32BE(4 + header.length + body.length, 0)
  lengths.writeInt32BE(header.length, 4)
  return { frame: Buffer.concat([lengths, header, body]), opaqueAt: 8 + Buffer.byteLength(head), messages }
}

export function setOpaque(request, opaque) {
  let rest = OPAQUE_BASE + opaque
  for (let at = request.opaqueAt + OPAQUE_DIGITS - 1; at >= request.opaqueAt; at--) {
    request.frame[at] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

export function createTopic(topic, queues) {
  const nums = String(queues)
  return jsonFrame(17, {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: nums,
    writeQueueNums: nums,
    perm: '6',
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: '0',
    order: 'false',
  })
}

const properties = (i, more = {}) =>
  Object.entries({ UNIQ_KEY: `7F000001${i.toString(16).padStart(24, '0').toUpperCase()}`, WAIT: 'true', ...more })
    .map(([name, value]) => `${name}\u0001${value}\u0002`)
    .join('')

/** `key` makes the UNIQ_KEY; `more` are properties besides it and WAIT. */
export function send({ topic, queue, size, key = queue, batch = 1, sysFlag = 0, more = {} }) {
  const ext = {
    a: 'bench_producer',
    b: topic,
    c: 'TBW102',
    d: '8',
    e: String(queue),
    f: String(sysFlag),
    g: String(Date.now()),
    h: '0',
    i: batch > 1 ? '' : properties(key, more),
    j: '0',
    k: 'false',
    l: '0',
    m: String(batch > 1),
  }
  const one = Buffer.alloc(size, 'x')
  if (batch === 1) return jsonFrame(310, ext, one)
  const elements = Array.from({ length: batch }, (_, i) => batchElement(one, Buffer.from(properties(i))))
  return jsonFrame(320, ext, Buffer.concat(elements), { messages: batch })
}

function batchElement(body, props) {
  const element = Buffer.alloc(22 + body.length + props.length)
  element.writeInt32BE(element.length, 0)
  element.writeInt32BE(body.length, 16)
  body.copy(element, 20)
  element.writeInt16BE(props.length, 20 + body.length)
  props.copy(element, 22 + body.length)
  return element
}

/** With `suspendMs` it is held so long when there is nothing to pull. */
export function pull({ topic, queue, max, offset = 0, suspendMs = 0 }) {
  return jsonFrame(
    11,
    {
      consumerGroup: 'bench_group',
      topic,
      queueId: String(queue),
      queueOffset: String(offset),
      maxMsgNums: String(max),
      // the subscription comes along; hold it
      sysFlag: suspendMs > 0 ? '6' : '4',
      commitOffset: '0',
      suspendTimeoutMillis: String(suspendMs),
      subscription: '*',
      subVersion: '0',
      expressionType: 'TAG',
    },
    undefined,
    { messages: max },
  )
}

export function maxOffset(topic, queue) {
  return jsonFrame(30, { topic, queueId: String(queue) })
}
