#pragma once
/// A link partner made of capture files.

#include <memory>
#include <optional>

#include "e1000tlm/link/capture/pace.h"
#include "e1000tlm/link/capture/pcap_reader.h"
#include "e1000tlm/link/capture/wire_capture.h"
#include "e1000tlm/link/hold_queue.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::link {

/// Replays a capture to the NIC, records the wire into another, or both.
///
/// Options (beside the common ones):
///   in=FILE       pcap or pcapng to replay
///   out=FILE      pcapng of both directions (see WireCapture)
///   pace=...      recorded (default), line, or a rate such as 100Mbit/s or 10kfps
///   scale=F       recorded times are divided by F: 2 replays twice as fast
///   loop=N        replays N times, each pass right after the one before
///   fcs=yes|no    yes: frames of `in` end with their FCS (default no, unless the file says so)
///
/// The replay starts a settling time (PartnerContext::hold_flush) after link is up and the MAC is
/// ready; recorded times count from there, the first frame's being zero. Whenever the MAC is not
/// ready or link is down, the replay stands still and its remaining times move on by that long.
/// Records that go back in time are sent in file order, with the time of the one before. Frames
/// shorter than kMinFrameBytes are padded with zeros (an FCS from the file is then void).
class PcapPartner final : public LinkPartner, private FrameSource, private FrameSink {
 public:
  /// Throws std::invalid_argument (option) or std::runtime_error (file), naming it. Nothing of the
  /// module has been built by then.
  PcapPartner(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec,
              Time hold_flush);
  ~PcapPartner() override;

  /// All frames of all passes have been taken by the NIC.
  bool exhausted() const override;
  void finish() override;
  bool swallows() const override { return true; }

 private:
  /// What the options say, with files open.
  struct Setup {
    Setup(const std::string& name, const PartnerSpec& spec);
    FileLock reading;
    std::optional<PcapReader> capture;
    std::unique_ptr<PcapngWriter> writer;
    Pace pace;
    double scale;
    std::uint64_t passes;
  };
  class Gate final : public ReadyGate {
   public:
    Gate(const sc_core::sc_module_name& name, PcapPartner& owner, Time flush);
    ~Gate() override;

   private:
    void opened() override { owner_.resume(); }
    void closed() override { owner_.pause(); }
    PcapPartner& owner_;
  };
  /// The frame to be sent next. Times count from origin_.
  struct Position {
    std::size_t index = 0;
    std::uint64_t pass = 0;
    Time due{};
    Time pass_start{};
    RateClock clock;
  };

  void refill(Time now) override;
  void receive(Arrival arrival) override;

  PcapPartner(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec,
              Time hold_flush, Setup setup);
  bool finished() const { return !setup_.capture || position_.pass == setup_.passes; }
  void pause();
  void resume();
  void send_next();
  /// While PAUSE is obeyed frames are not fetched ahead of their time, but sent when it has come.
  void send_in_time();
  Time next_start() const;
  void take_back();
  FramePtr make_frame() const;
  void step(const Frame& frame, Time sent);
  Time scaled(Time recorded) const;

  Setup setup_;
  std::unique_ptr<WireCapture> output_;
  Gate gate_;
  bool started_ = false;
  Time origin_{};
  Time paused_at_{};
  Time not_before_{};
  sc_core::sc_event send_event_;
  Position position_;

  // What was sent last, to take it back if the link goes before its first bit.
  Position previous_;
  Time last_start_{};
  std::size_t last_size_ = 0;
  std::uint64_t lost_ = 0;
};

PartnerRegistry::Kind pcap_kind();

}  // namespace e1000tlm::link
