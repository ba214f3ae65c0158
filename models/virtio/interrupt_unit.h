#pragma once
/// Interrupts of the network device: moderation, and the way to INTx or MSI-X.

#include <array>
#include <cstdint>

#include <systemc>

#include "e1000tlm/pci/messages.h"
#include "e1000tlm/virtio/net_core.h"

namespace e1000tlm::virtio {

/// Tells the transport of used buffers, each queue no more often than NetTiming::moderation lets,
/// and takes the transport's interrupts to the function.
class InterruptUnit : public sc_core::sc_module, public InterruptSink {
 public:
  InterruptUnit(const sc_core::sc_module_name& name, NetCore& core);

  /// INTx, true = asserted.
  sc_core::sc_out<bool> line;

  /// MSI-X is there.
  void connect(pci::MessagesIf& messages) { messages_ = &messages; }
  /// Now the driver wants to be told of used buffers.
  void queue_used(unsigned queue);
  /// What is held back of a queue is not sent.
  void forget(unsigned queue) { held_ &= ~(std::uint64_t{1} << queue); }
  /// Of all queues; intervals that run end.
  void reset();
  /// Something is held back, or the line is about to follow.
  bool pending() const { return held_ != 0 || level_ != line_level_; }
  /// INTx is asserted.
  bool asserted() const { return line_level_; }

  bool messages_enabled() const override {
    return messages_ != nullptr && messages_->messages_enabled();
  }
  void send_message(unsigned vector) override;
  void set_level(bool asserted) override;

 private:
  static constexpr unsigned kMostQueues = 2 * net::kMostPairs + 1;

  void tell(unsigned queue, Time now);
  /// SC_METHOD: sends what has been held back long enough.
  void release();
  /// SC_METHOD: the only process that writes the line.
  void drive();

  NetCore& core_;
  pci::MessagesIf* messages_ = nullptr;
  std::uint64_t held_ = 0;                    // a bit for each queue
  std::array<Time, kMostQueues> earliest_{};  // of the next interrupt
  sc_core::sc_event release_event_;
  sc_core::sc_event drive_event_;
  bool level_ = false;  // as the transport says; the line follows a delta cycle later
  bool line_level_ = false;
};

}  // namespace e1000tlm::virtio
