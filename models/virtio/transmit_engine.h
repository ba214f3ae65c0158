#pragma once
/// Transmit queues to the wire, and the control queue.

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/link/virtio_header.h"
#include "e1000tlm/virtio/queue_engine.h"
#include "e1000tlm/virtio/wire_transmitter.h"

namespace e1000tlm::virtio {

/// Takes packets from all transmit queues, one of each in turn, and commands from the control
/// queue. Reads no more of a packet than the frame needs that goes to the wire next.
class TransmitEngine : public QueueEngine {
 public:
  TransmitEngine(const sc_core::sc_module_name& name, NetCore& core, InterruptUnit& interrupts);

  void stop() override;
  /// The control queue, under whatever number, is to be served.
  void start_control(unsigned index, const SplitLayout& layout);
  /// Called after each command.
  void set_command_listener(std::function<void()> call) { commanded_ = std::move(call); }
  /// The link has gone.
  void link_lost();
  /// A packet or command is under way, or a frame on the wire.
  bool busy() const { return (!resting_ && core_.gate.enabled) || due() || wire_.busy(); }

 private:
  /// How a packet went.
  enum class Ending : std::uint8_t { kDone, kAborted, kFailed };

  void begins(Time) override {}
  void ends() override {}
  void run();
  void serve(Work& work);
  void transmit(Work& work);
  void command(Work& work);
  Ending send_packet(unsigned pair);
  Ending send_plain(unsigned pair);
  Ending send_finished(unsigned pair);
  Ending drop(NetDrop reason);
  /// A whole frame goes to the wire, padded to the shortest that there may be.
  void send(ConstBytes bytes, unsigned pair);
  /// The packet itself, without its header.
  Bytes packet() {
    return Bytes(staging_.data() + header_bytes_, chain_.readable_bytes - header_bytes_);
  }
  /// Reads on until so many bytes, the header counted, are there.
  Ending read_until(std::size_t bytes);
  Ending wait_for_room(std::size_t bytes);

  Work& control_;
  std::function<void()> commanded_;
  WireTransmitter wire_;
  link::FramePool& frames_;
  link::OffloadFinisher offload_;
  DeviceQueue::Chain chain_;
  std::size_t header_bytes_ = 0;       // of the packet under way
  std::size_t read_ = 0;               // bytes of its chain
  std::vector<std::uint8_t> staging_;  // what has been read of it
};

}  // namespace e1000tlm::virtio
