/** What the UDP listeners of a proxy count since its start. */
export class UdpCounters {
  sessionCount = 0;
  /** Datagrams from clients and from endpoints that were passed on. */
  clientDatagramCount = 0;
  endpointDatagramCount = 0;
  clientByteCount = 0;
  endpointByteCount = 0;
  /** Sessions whose endpoint said that nobody listens (ICMP port unreachable), or could not be reached. */
  refusedSessionCount = 0;
  expiredSessionCount = 0;
  /** Sessions that ended because their endpoint was found to be down; the next datagram began another one. */
  movedSessionCount = 0;
  /** Datagrams dropped because there were as many sessions as may be. */
  sessionLimitDropCount = 0;
  /** Datagrams dropped because there was no endpoint. */
  unservedDropCount = 0;
  /** Datagrams dropped because more waited to be sent than may. */
  overflowDropCount = 0;
}
