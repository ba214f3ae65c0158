#pragma once
/// Where packets serve listens.

enum {
  kEchoPort = 6001,   ///< TCP and UDP: what comes goes back, all bits inverted
  kStampPort = 6002,  ///< UDP: the time at which the kernel got a datagram, in ns, 8 bytes
};
