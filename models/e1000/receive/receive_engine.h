#pragma once
/// Receive DMA: packet buffer to descriptor ring (manual 3.2).

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/e1000/dma/dma_engine.h"
#include "e1000tlm/e1000/interrupts/delay_timer.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer_registers.h"
#include "e1000tlm/e1000/receive/mac_receiver.h"

namespace e1000tlm::e1000 {

/// A receive descriptor was written back.
struct ReceiveDescriptorEvent {
  /// When.
  Time at;
  /// Its place in the ring.
  std::uint32_t index;
  /// What was written.
  RxWriteBack fields;
};

class ReceiveEngine : public DmaEngine, public FifoUser {
 public:
  ReceiveEngine(const sc_core::sc_module_name& name, Core& core, MacReceiver& mac,
                MacTransmitter& transmitter);

  Probe<ReceiveDescriptorEvent> descriptors;

  void reset(Drop reason);
  bool busy() const;
  bool delayed_interrupt() const { return delay_.running(); }
  Probe<DelayEvent>& delay_events() { return delay_.probe; }
  /// Tells the PHY (and so the link partner) whether a frame would be stored.
  void update_ready();

  PacketFifo& fifo() override { return mac_.fifo(); }
  const PacketFifo& fifo() const override { return std::as_const(mac_).fifo(); }
  FifoPointers fifo_pointers(Time now) const override;
  bool fifo_at_rest(Time now) const override;
  std::vector<FifoContent> fifo_contents() const override { return mac_.contents(); }

 private:
  /// What is still to do of the frame at the packet buffer's head.
  struct Progress {
    bool started = false;
    std::uint32_t null_descriptors = 0;  // met in a row
    ConstBytes bytes;                    // to store
    std::uint32_t done = 0;              // stored
    RxWriteBack fields;                  // of the last descriptor; checksum: of the first
    bool failed = false;                 // a buffer could not be written
  };

  void wait_for_gate() override;
  void begins(Time until) override;
  void ends() override;

  void rdt_written(std::uint32_t index, std::uint32_t value);
  void ring_written(std::uint32_t index, std::uint32_t value);
  void rctl_written(std::uint32_t index, std::uint32_t value);
  void rdtr_written(std::uint32_t index, std::uint32_t value);
  void rxdctl_written(std::uint32_t index, std::uint32_t value);
  void timer_expired();

  void run();
  void wait_for_work();
  bool enabled() const { return core_.is_on(reg::kRctl, rctl::kEn); }
  DescriptorRing ring() const;
  std::uint32_t free_descriptors() const;
  /// Takes in every frame that has arrived by the engine's local time.
  void admit_arrived();
  const link::Arrival* next_arrival() const;
  /// When the next frame will have arrived; kTimeNever: none known. Remembered while no other
  /// process runs.
  Time next_arrival_time();
  link::Arrival take_arrival();

  bool can_store() const;
  void store();
  bool await_turn();
  void begin(StoredFrame& stored);
  void finish_descriptor(bool last, std::uint32_t stored_bytes);
  void finish_frame(std::uint32_t bytes);
  void write_back_all();
  void moderate(std::uint32_t bytes);

  MacReceiver& mac_;
  MacTransmitter& transmitter_;
  DelayTimer delay_;
  sc_core::sc_event_or_list wake_list_;
  Progress progress_;
  Time next_start_ = kTimeZero;  // of the next frame's way to memory, at the earliest
  bool flush_ = false;           // RDTR.FPD or a timer: write back and interrupt at once
  bool ready_ = false;
  Time next_at_ = kTimeNever;                                     // as next_arrival_time() found
  std::uint64_t next_found_ = ~std::uint64_t{0};                  // time_.waits() then
  std::array<std::uint8_t, link::kMaxFrameBytes + 4> scratch_{};  // a frame without its tag
};

}  // namespace e1000tlm::e1000
