/** What the TCP listeners of a proxy count since its start. Plain fields: each is added to per connection or per read. */
export class TcpCounters {
  acceptedCount = 0;
  /** Connections that were closed at once, because there were as many as may be. */
  refusedCount = 0;
  /** The same, because their client had as many as it may have. */
  limitedCount = 0;
  /** Connections that ended, or took too long, before the bytes of the client: in TLS or the PROXY protocol. */
  handshakeErrorCount = 0;
  handshakeTimeoutCount = 0;
  /** Connections to endpoints that were begun, and those that did not come about. */
  connectCount = 0;
  connectFailureCount = 0;
  /** Tries on another endpoint, or on the same one again. */
  retryCount = 0;
  /** Connections for which there was no endpoint, or that the cluster refused. */
  unservedCount = 0;
  /** Connections for whose name, or lack of one, there is no cluster. */
  unroutedCount = 0;
  /** Beginnings that looked like TLS and were not. */
  malformedHelloCount = 0;
  helloTimeoutCount = 0;
  idleTimeoutCount = 0;
  clientResetCount = 0;
  endpointResetCount = 0;
  /** Cut off when the proxy closed, or when their endpoint had left. */
  cutOffCount = 0;
  /** Bytes read from clients and from endpoints. */
  clientByteCount = 0;
  endpointByteCount = 0;
}
