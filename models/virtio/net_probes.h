#pragma once
/// What blocks of the network device announce. No SystemC.

#include <cstdint>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/tlm/probe.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::virtio {

enum class NetDrop : std::uint8_t;

/// What happened to a frame that arrived.
struct NetReceiveEvent {
  Time at;                   ///< its last bit
  const link::Frame* frame;  ///< valid during the call
  bool stored;               ///< it waits for a buffer; else `drop` says why not
  NetDrop drop;              ///< when not stored
  unsigned pair;             ///< when stored: whose queue gets it
};

/// A buffer has been taken from a queue, or goes back.
struct NetBufferEvent {
  Time at;              ///< when
  unsigned queue;       ///< which
  std::uint16_t head;   ///< its first descriptor
  bool used;            ///< it goes back; else it has been taken
  std::uint32_t bytes;  ///< taken: of all its pieces; used: that were written
};

/// The driver is told of used buffers.
struct NetInterruptEvent {
  Time at;         ///< when
  unsigned queue;  ///< whose
};

/// All of them.
struct NetProbes {
  /// Each frame that arrived, and what became of it.
  Probe<NetReceiveEvent> received;
  /// Buffers of all queues.
  Probe<NetBufferEvent> buffers;
  /// Interrupts of queues.
  Probe<NetInterruptEvent> interrupts;
};

}  // namespace e1000tlm::virtio
