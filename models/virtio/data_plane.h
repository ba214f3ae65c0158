#pragma once
/// Who carries the packets of a network device: its own engines, or a program beside the
/// simulation. No SystemC.

#include <cstdint>
#include <gsl/span>
#include <string>

#include "e1000tlm/virtio/transport.h"

namespace e1000tlm::virtio {

/// The device as its data plane sees it. Calls come on the simulation's thread and must not wait.
class DataPlaneOwner {
 public:
  virtual ~DataPlaneOwner() = default;
  /// Buffers of a queue have been used, and the driver wants to be told.
  virtual void plane_used(unsigned queue) = 0;
  /// There is (no) link; none before the first call. Not for planes that use the device's cable.
  virtual void plane_link(bool up) = 0;
  /// The driver has broken a rule, or memory cannot be reached: the device needs a reset.
  virtual void plane_failed(const std::string& why) = 0;
};

/// Receive and transmit queues, 0 to 2 * pairs - 1; the control queue is the device's own business.
/// Calls come in the process that accesses a register and must not wait: what takes time is begun
/// here and goes on elsewhere.
class DataPlane {
 public:
  /// A queue that is to be worked on.
  struct Queue {
    unsigned index = 0;      ///< its number
    SplitLayout layout;      ///< where it is
    std::uint16_t base = 0;  ///< index of the next chain in the available ring
  };

  virtual ~DataPlane() = default;
  /// Of the device's features those that it can carry; the device offers no others. Feature bits
  /// that do not concern packets and rings are the device's own.
  virtual std::uint64_t features() const = 0;
  /// The driver is ready, or the device may master the bus again: work begins on these queues.
  virtual void start(std::uint64_t features, gsl::span<const Queue> queues) = 0;
  /// A further queue, while started.
  virtual void start_queue(const Queue& queue) = 0;
  /// Work on a queue ends, while started. From when this returns on, nothing of it is touched and
  /// nobody told. Returns the index of the next chain.
  virtual std::uint16_t stop_queue(unsigned queue) = 0;
  /// Ditto for all queues: the driver has reset the device. Also while not started.
  virtual void stop() = 0;
  /// The driver says that there is something in a queue that has been started.
  virtual void notified(unsigned queue) = 0;
  /// So many pairs are in use, from 0 on; 1 until said otherwise.
  virtual void set_active_pairs(unsigned pairs) = 0;
};

/// Where a data plane beside the simulation finds its device, and the memory that it works on.
class DataPlaneSeat {
 public:
  virtual ~DataPlaneSeat() = default;
  /// The plane carries the device's packets from now on. Once, before simulation starts.
  virtual DataPlaneOwner& take(DataPlane& plane) = 0;
  /// Of queues.
  virtual unsigned pairs() const = 0;
  /// Largest MTU that the device tells of; 0: none.
  virtual std::uint16_t mtu() const = 0;
  /// A file that other programs can map, with the driver's memory from address 0 on; it cannot
  /// shrink. It remains its owner's.
  virtual int memory_descriptor() const = 0;
  /// The same, mapped.
  virtual Bytes memory() const = 0;
};

}  // namespace e1000tlm::virtio
