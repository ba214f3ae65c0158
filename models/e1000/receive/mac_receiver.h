#pragma once
/// The MAC's receive half: integrity, flow control, filters, packet buffer (manual 3.2.1, 10).

#include <cstdint>
#include <vector>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "e1000tlm/e1000/power/wakeup_unit.h"
#include "e1000tlm/e1000/transmit/mac_transmitter.h"
#include "e1000tlm/link/cable.h"

namespace e1000tlm::e1000 {

/// A frame in the packet buffer.
struct StoredFrame {
  link::FramePtr frame;
  Time at{};                ///< arrived
  std::uint8_t errors = 0;  ///< rx_error bits, with RCTL.SBP
  bool inexact = false;     ///< descriptor status PIF
  bool faulty = false;      ///< stored by RCTL.SBP only; counts as no good frame
};

/// What happened to a frame that arrived.
struct ReceiveEvent {
  /// Its last bit.
  Time at;
  /// Valid during the call.
  const link::Frame* frame;
  /// It is on its way to memory.
  bool stored;
  Drop drop;  ///< when not stored
};

/// No process of its own: the receive engine lets it take in frames in the order of their arrival.
class MacReceiver {
 public:
  MacReceiver(Core& core, MacTransmitter& transmitter, WakeupUnit& wakeup);

  Probe<ReceiveEvent> probe;

  /// Takes in one frame; returns the interrupt causes that this gives at its arrival.
  /// `looped`: by RCTL.LBM, not from the PHY. `no_descriptors`: the ring is empty at this moment
  /// (RNBC).
  std::uint32_t admit(link::Arrival&& arrival, bool looped, bool no_descriptors);

  /// Waiting for a frame to wake up.
  bool watching() const { return wakeup_.watching(); }
  bool empty() const { return buffer_.empty(); }
  StoredFrame& front() { return buffer_.front(); }
  /// The front frame has been stored in memory (or given up) at local time `at`.
  void release(Time at);
  PacketFifo& fifo() { return fifo_; }
  const PacketFifo& fifo() const { return fifo_; }
  /// Of the receive FIFO; `taken` bytes of the front frame have been read from it. Frames enter
  /// whole.
  FifoPointers pointers(std::uint32_t taken) const;
  /// The frames in the FIFO, each with its FCS.
  std::vector<FifoContent> contents() const;
  /// Drops what is stored, and takes over PBA.
  void reset(Drop reason);

 private:
  std::uint32_t drop(const link::Arrival& arrival, Drop reason);
  /// Notes the faults of a damaged frame in counters and in `stored`; false if it is not to be
  /// stored.
  bool keep_faulty(const link::Arrival& arrival, FrameFault fault, StoredFrame& stored);
  /// What becomes of a frame with the MAC control type.
  enum class Control : std::uint8_t {
    kFiltered,  ///< a frame like any other
    kPause,     ///< the same, but not counted as a good one
    kPassed,    ///< whatever the filters say
    kConsumed,  ///< goes no further
  };
  Control mac_control(const link::Arrival& arrival);
  void check_high_water(Time at);
  void send_xoff(Time at);

  Core& core_;
  MacTransmitter& transmitter_;
  WakeupUnit& wakeup_;
  PacketFifo fifo_;
  boost::circular_buffer<StoredFrame> buffer_;
  bool sent_xoff_ = false;
  bool overflowing_ = false;  // frames are being lost; XOFF was repeated
};

}  // namespace e1000tlm::e1000
