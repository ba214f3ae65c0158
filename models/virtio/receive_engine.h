#pragma once
/// The wire to the receive queues.

#include <cstdint>
#include <vector>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/virtio/coalescer.h"
#include "e1000tlm/virtio/packet_header.h"
#include "e1000tlm/virtio/queue_engine.h"

namespace e1000tlm::virtio {

/// Takes frames from the cable in the order of their times, gives each to a pair, in whose part of
/// the receive memory it waits for buffers, and stores them, one of each pair in turn. Segments
/// that wait together and belong together become one packet for drivers that take such.
class ReceiveEngine : public QueueEngine {
 public:
  ReceiveEngine(const sc_core::sc_module_name& name, NetCore& core, InterruptUnit& interrupts);

  void stop() override;
  /// Whether frames would be stored may have changed; tells the link partner.
  void update_ready();
  /// A frame is being stored or about to arrive.
  bool busy() const;
  /// Frames that wait for a buffer.
  std::size_t waiting() const;

 private:
  /// A frame that waits for a buffer.
  struct Stored {
    link::FramePtr frame;
    net::PacketHash hash;
  };
  /// What is to be stored next: a frame, or several that have become one long packet.
  struct Packet {
    ConstBytes bytes;
    net::PacketHeader header;
    unsigned frames = 0;         // 0: there is none
    std::uint64_t occupies = 0;  // bytes of these in the receive memory
    link::FramePtr frame;        // keeps `bytes`, if it is one
  };
  /// What waits for one pair, and what has been fetched of its queue.
  struct Pair {
    Work* work = nullptr;
    boost::circular_buffer<Stored> frames;
    std::uint64_t bytes = 0;  // of these, and of the packet
    Packet packet;
    net::Coalescer coalescer;
    std::vector<DeviceQueue::Chain> chains;  // from the front: `held` that are taken
    std::size_t held = 0;
    std::uint64_t room = 0;  // bytes of these
    bool short_of = false;   // they are not enough for the packet, and the queue had no more

    bool waits() const { return packet.frames != 0 || !frames.empty(); }
  };

  void queue_changed(Work& work) override;
  void wait_for_gate() override;
  void begins(Time) override { admit_arrived(); }
  void ends() override {}

  void run();
  void wait_for_work();
  /// Takes in every frame that has arrived by the engine's local time.
  void admit_arrived();
  void admit(link::Arrival&& arrival);
  void lose(const link::Arrival& arrival, NetDrop reason);
  Time next_arrival_time();

  /// The pair whose queue gets the frame.
  unsigned steer(const link::Frame& frame, net::PacketHash& hash) const;
  /// Something can be stored at once, or the queue be looked at.
  bool can_store(const Pair& pair) const {
    if (!pair.waits() || !pair.work->running) return false;
    if (pair.held != 0 && !pair.short_of) return true;
    return pair.work->kicked && pair.work->look_at <= time_.now();
  }
  Pair* next_storable();
  /// Nobody has given a buffer yet: looks for one, so that the link partner knows.
  bool look_for_supply();
  /// When a queue may be looked at whose frames wait for that; kTimeNever: there is none.
  Time next_look() const;
  void store(Pair& pair);
  /// Makes a packet of the frames that wait, if there is none.
  void prepare(Pair& pair);
  void take_frame(Pair& pair);
  /// Takes buffers until they have room for so many bytes. False: there are not enough now, or the
  /// queue was reset or is broken.
  bool gather(Pair& pair, std::uint64_t bytes);
  /// Writes header and packet to the buffers that are held. The number of buffers; 0: the engine
  /// was reset, or has failed.
  std::size_t write_packet(Pair& pair, std::size_t total);
  /// Gives the first buffers back.
  bool give_back(Pair& pair, std::size_t buffers, std::size_t bytes);
  /// The packet has been stored, or lost.
  void release(Pair& pair);
  void lose_waiting(Pair& pair);

  std::vector<Pair> pairs_;
  std::size_t turn_ = 0;  // next_storable() begins there
  sc_core::sc_event_or_list wake_list_;
  bool ready_ = false;
  bool supplied_ = false;                         // a queue has had a buffer
  Time next_at_ = kTimeNever;                     // as next_arrival_time() found
  std::uint64_t next_found_ = ~std::uint64_t{0};  // time_.waits() then
  std::vector<std::uint8_t> staging_;             // a packet with its header
};

}  // namespace e1000tlm::virtio
