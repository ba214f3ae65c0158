#pragma once
/// What the partners have in common that pass frames through a host file descriptor.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <systemc>

#include <boost/circular_buffer.hpp>

#include "e1000tlm/link/hold_queue.h"
#include "e1000tlm/link/host/host_device.h"
#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/link/host/host_flush.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/tlm/async_gate.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// Joins a HostDevice to a cable, losing nothing silently and pushing back both ways.
///
/// From the NIC: frames are written when their last bit has arrived; what the device has no room
/// for waits in order (at most kOutgoingFrames; more are drops["host_queue_full"]). To the NIC: a
/// thread reads frames (or poll() does, after use_polling()) and stops when the NIC's side holds
/// kHighWater frames, so that the host's own queue fills and pushes back. Drops beside those of
/// HoldQueue and of the device: "bad_fcs" (a host takes no damaged frames), "too_short" (no
/// Ethernet header), "too_long", "host_closed" (on the way when finish() closed it, or later),
/// "host_gone" (the device had gone for good: a tap interface that somebody deleted, a peer that
/// hung up and is not to be looked for again; a warning says so at once, fault() from then on, and
/// the partner is no longer live).
class HostPartner : public LinkPartner, public HostFlush, private FrameSink {
 public:
  /// Frames towards the NIC at which reading stops.
  static constexpr std::size_t kHighWater = 1024;
  /// Where it goes on.
  static constexpr std::size_t kLowWater = 256;
  /// Frames towards the host that wait at most.
  static constexpr std::size_t kOutgoingFrames = 16384;

  /// Takes the device over. `hold_flush`: see HoldQueue.
  HostPartner(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec,
              std::unique_ptr<HostDevice> device, Time hold_flush);
  ~HostPartner() override;

  /// Unless it is polled, or has gone.
  bool live() const override { return !polled_ && !told_gone_; }
  unsigned queues() const override { return queues_; }
  /// Stops the thread and closes the device. Frames still waiting for room get a last chance of
  /// kLastFlush to leave.
  void finish() override;

  /// Held frames go to the MAC as soon as it is ready then: whoever steps the simulation command by
  /// command finds them received before its next one.
  void use_polling() override;
  /// Takes what the device has; returns the number of frames.
  std::size_t poll() override;
  /// Held frames are on their way to the MAC, or frames of the MAC to the host.
  bool releasing() const override { return hold_.releasing() || !arriving_.empty(); }
  /// See HostFlush.
  bool flush(std::chrono::milliseconds timeout) override;
  std::string fault() const override { return told_gone_ ? why_gone_ : ""; }
  std::vector<std::string> warnings() const override { return warnings_; }

  /// See finish().
  static constexpr std::chrono::milliseconds kLastFlush{200};

 private:
  /// Frames on their way between the threads, one after the other.
  struct Batch {
    /// Of one of them.
    struct Place {
      std::uint32_t size;   ///< bytes
      std::uint16_t queue;  ///< as Frame::queue
    };
    std::vector<std::uint8_t> bytes;
    std::vector<Place> frames;
    void clear() {
      bytes.clear();
      frames.clear();
    }
  };
  /// A frame that waits for room.
  struct Waiting {
    std::vector<std::uint8_t> bytes;
    std::uint16_t queue;
  };

  void start_of_simulation() override;
  void receive(Arrival arrival) override;
  bool take_back(Time last_bit, std::size_t size) override;
  void hand_over_arrived();
  void hand_over(const Frame& frame);

  // On the host thread.
  void run();
  bool read_batch();
  // On either thread, with mutex_ held.
  void drop(const char* reason, std::uint64_t frames = 1) { drops_[reason] += frames; }
  HostDevice::Outcome write(ConstBytes frame, std::uint16_t queue, std::chrono::milliseconds wait);
  bool write_outgoing(std::chrono::milliseconds timeout);

  // On the simulation's thread.
  void take_batch();
  void offer(ConstBytes content, std::uint16_t queue);
  void relieve();
  void collect_drops();
  std::size_t backlog() const { return hold_.held() + pause_.waiting() + end_.in_flight(); }

  std::string what_;
  std::string why_gone_;
  std::vector<std::string> warnings_;
  std::unique_ptr<HostDevice> device_;
  unsigned queues_;  // the device's
  HoldQueue hold_;
  AsyncGate gate_;
  WakeUp wake_;
  sc_core::sc_event check_backlog_;
  sc_core::sc_event arrived_;
  boost::circular_buffer<Arrival> arriving_;  // from the NIC, until their last bits
  bool polled_ = false;
  bool told_gone_ = false;  // the user knows
  Batch taken_;             // the simulation's

  std::mutex mutex_;  // for all below
  Batch incoming_;
  std::deque<Waiting> outgoing_;
  std::map<std::string, std::uint64_t> drops_;
  std::size_t backlog_ = 0;  // on the NIC's side, as last told by the simulation
  bool paused_ = false;      // reading waits for the backlog to go
  bool closed_ = false;      // nothing can be read or written any more
  bool gone_ = false;        // because the device has gone

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace e1000tlm::link
