import { bool, duration, fixed, int, live, noEffect, planned, text } from '../setting.js'
import { noNetty, noSwap, noThreads, operatingSystem } from './reasons.js'

const waterMark = (which: string) => int(0, noNetty, `Bytes in a connection's output buffer at which Netty ${which}.`)

/** Java's NettyServerConfig, in its order. */
export const nettyServer = {
  bindAddress: text('0.0.0.0', fixed, 'Address to listen on.'),
  listenPort: int(10911, fixed, 'Port for clients; this less 2 is the fast port, 0 takes any free one.', {
    max: 65_535,
  }),
  serverWorkerThreads: int(8, noThreads, 'Threads that decode.'),
  serverCallbackExecutorThreads: int(0, noThreads, 'Threads for callbacks.'),
  serverSelectorThreads: int(3, noThreads, 'Threads that read sockets.'),
  serverOnewaySemaphoreValue: int(256, noNetty, 'One-way requests to clients under way.'),
  serverAsyncSemaphoreValue: int(64, noNetty, 'Requests to clients under way.'),
  serverChannelMaxIdleTimeSeconds: int(120, fixed, 'A connection without traffic for so long is closed.', {
    unit: 's',
    min: 1,
  }),
  serverSocketSndBufSize: int(0, operatingSystem, 'Send buffer of a socket.', { unit: 'bytes' }),
  serverSocketRcvBufSize: int(0, operatingSystem, 'Receive buffer of a socket.', { unit: 'bytes' }),
  writeBufferHighWaterMark: waterMark('stops writing'),
  writeBufferLowWaterMark: waterMark('goes on writing'),
  serverSocketBacklog: int(1024, fixed, 'Connections that wait to be accepted.', { min: 1 }),
  serverNettyWorkerGroupEnable: bool(true, noNetty, 'Decode in threads of their own.'),
  serverPooledByteBufAllocatorEnable: bool(true, noNetty, 'Take buffers from a pool.'),
  enableShutdownGracefully: bool(false, live, 'Send clients elsewhere for a while before the end.'),
  shutdownWaitTimeSeconds: int(30, live, 'How long to do so.', { unit: 's' }),
  useEpollNativeSelector: bool(false, noNetty, 'Wait with epoll.'),
}

const peers = noEffect('requests to peers have no such limit, they are few')

/** Java's NettyClientConfig, in its order: the broker's own calls. */
export const nettyClient = {
  clientWorkerThreads: int(4, noThreads, 'Threads that decode answers.'),
  clientCallbackExecutorThreads: int(2, noThreads, 'Threads for callbacks of answers.'),
  clientOnewaySemaphoreValue: int(65_535, peers, 'One-way requests to peers under way.'),
  clientAsyncSemaphoreValue: int(65_535, peers, 'Requests to peers under way.'),
  connectTimeoutMillis: duration(3000, live, 'Wait for a connection to a peer.', { min: 1 }),
  channelNotActiveInterval: duration(60_000, noNetty, 'Unused by the Java release.'),
  isScanAvailableNameSrv: bool(
    true,
    live,
    'Try a NameServer that cannot be reached again each second, not with the next registration only.',
  ),
  clientChannelMaxIdleTimeSeconds: int(120, live, 'Close an idle connection to a peer.', { unit: 's', min: 1 }),
  clientSocketSndBufSize: int(0, operatingSystem, 'Send buffer of a socket to a peer.', { unit: 'bytes' }),
  clientSocketRcvBufSize: int(0, operatingSystem, 'Receive buffer of a socket to a peer.', { unit: 'bytes' }),
  clientPooledByteBufAllocatorEnable: bool(false, noNetty, 'Take buffers from a pool.'),
  clientCloseSocketIfTimeout: bool(true, live, 'Close a connection whose request had no answer.'),
  useTLS: bool(false, planned, 'Call peers over TLS.'),
  socksProxyConfig: text('{}', planned, 'Call peers through a SOCKS proxy (JSON).'),
  writeBufferHighWaterMark: waterMark('stops writing'),
  writeBufferLowWaterMark: waterMark('goes on writing'),
  disableCallbackExecutor: bool(false, noThreads, 'Run callbacks where answers are decoded.'),
  disableNettyWorkerGroup: bool(false, noNetty, 'Decode in the reading threads.'),
  maxReconnectIntervalTimeSeconds: int(60, noSwap, 'Longest pause before a peer is tried again.', { unit: 's' }),
  enableReconnectForGoAway: bool(true, live, 'Ask once more over a new connection when a peer says it stops.'),
}
