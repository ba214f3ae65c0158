#pragma once
/// Transmit DMA: descriptor ring to packet buffer (manual 3.3, 3.4).

#include <cstdint>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/e1000/dma/dma_engine.h"
#include "e1000tlm/e1000/interrupts/delay_timer.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer_registers.h"
#include "e1000tlm/e1000/transmit/mac_transmitter.h"
#include "e1000tlm/e1000/transmit/packet_assembler.h"

namespace e1000tlm::e1000 {

/// A transmit descriptor has been worked on.
struct TransmitDescriptorEvent {
  /// When.
  Time at;
  /// Its place in the ring.
  std::uint32_t index;
  /// What it said.
  TxDescriptor descriptor;
};

class TransmitEngine : public DmaEngine, public FifoUser {
 public:
  TransmitEngine(const sc_core::sc_module_name& name, Core& core, MacTransmitter& mac);

  Probe<TransmitDescriptorEvent> descriptors;

  void reset();
  /// No descriptor to process and nothing on the way to the wire.
  bool busy() const;
  bool delayed_interrupt() const { return delay_.running(); }
  Probe<DelayEvent>& delay_events() { return delay_.probe; }

  PacketFifo& fifo() override { return mac_.fifo(); }
  const PacketFifo& fifo() const override { return std::as_const(mac_).fifo(); }
  FifoPointers fifo_pointers(Time now) const override;
  bool fifo_at_rest(Time now) const override;
  std::vector<FifoContent> fifo_contents() const override { return mac_.contents(); }

 private:
  void tdt_written(std::uint32_t index, std::uint32_t value);
  void ring_written(std::uint32_t index, std::uint32_t value);
  void tctl_written(std::uint32_t index, std::uint32_t value);
  void txdctl_written(std::uint32_t index, std::uint32_t value);
  void tidv_expired();

  void begins(Time until) override;
  void ends() override;

  void run();
  void idle();
  bool work() const;
  /// A packet's first descriptor has been processed and its last has not.
  bool in_packet() const { return assembler_.in_packet() && !discarded_; }
  DescriptorRing ring() const;
  AssemblerSettings settings() const;

  void process();
  /// A frame in one buffer that needs nothing done to it. False if the engine was reset meanwhile.
  bool send_whole_frame(const TxDescriptor& descriptor);
  /// Everything else, by the assembler. False if the engine was reset meanwhile.
  bool assemble(const TxDescriptor& descriptor, const std::uint8_t* raw);
  /// Time that the device itself takes for a packet; false if it was reset meanwhile.
  bool spend_overhead(const TxDescriptor& descriptor);
  /// Reads the descriptor's buffer; false if the engine was reset meanwhile.
  bool read_buffer(const TxDescriptor& descriptor);
  bool wait_for_room(std::uint32_t bytes);
  void wait_for_start();
  void forward_frames();
  void note(const AssemblerResult& result);
  void complete(const TxDescriptor& descriptor);
  bool wants_report(const TxDescriptor& descriptor) const;
  void report(const TxDescriptor& descriptor, bool wanted, std::uint32_t index);
  void flush();
  void write_back_all();
  /// Drops the packet under way and forgets the offload contexts.
  void discard_packet();
  void count_low(std::uint32_t before, std::uint32_t after);

  MacTransmitter& mac_;
  link::FramePool& frames_;
  PacketAssembler assembler_;
  DelayTimer delay_;
  std::uint32_t packet_bytes_ = 0;  // of the frame being stored, in the packet buffer
  bool poisoned_ = false;           // a buffer of this packet could not be read
  bool faulty_ = false;             // this packet is being dropped, and has been counted
  bool report_due_ = false;         // TXDW comes with the write-back
  bool discarded_ = false;          // the assembler is to be reset before its next use
  sc_core::sc_event_or_list room_list_;
};

}  // namespace e1000tlm::e1000
