#pragma once
/// The device's own data plane: its engines.

#include "e1000tlm/virtio/data_plane.h"
#include "e1000tlm/virtio/receive_engine.h"
#include "e1000tlm/virtio/transmit_engine.h"

namespace e1000tlm::virtio {

/// Gives each queue to the engine that works on it. Used buffers go to the interrupt unit without
/// a way round by the owner, at the engines' times.
class EnginePlane : public DataPlane {
 public:
  EnginePlane(TransmitEngine& transmit, ReceiveEngine& receive)
      : transmit_(transmit), receive_(receive) {}

  std::uint64_t features() const override { return ~std::uint64_t{0}; }
  void start(std::uint64_t, gsl::span<const Queue> queues) override {
    for (const Queue& queue : queues) start_queue(queue);
  }
  void start_queue(const Queue& queue) override {
    engine(queue.index).start_queue(queue.index, queue.layout, queue.base);
  }
  std::uint16_t stop_queue(unsigned queue) override { return engine(queue).stop_queue(queue); }
  void stop() override {
    transmit_.stop();
    receive_.stop();
  }
  void notified(unsigned queue) override { engine(queue).notified(queue); }
  void set_active_pairs(unsigned) override {}

 private:
  QueueEngine& engine(unsigned queue) {
    if (queue % 2 == 0) return receive_;
    return transmit_;
  }

  TransmitEngine& transmit_;
  ReceiveEngine& receive_;
};

}  // namespace e1000tlm::virtio
