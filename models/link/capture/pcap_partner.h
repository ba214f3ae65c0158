#pragma once
/// A link partner made of capture files.

#include <memory>
#include <string>
#include <vector>

#include "e1000tlm/link/capture/pace.h"
#include "e1000tlm/link/capture/replay.h"
#include "e1000tlm/link/capture/wire_capture.h"
#include "e1000tlm/link/hold_queue.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::link {

/// Replays a capture to the NIC, records the wire into another, or both.
///
/// Options (beside the common ones):
///   in=FILE       capture to replay (see PcapReader); "-": standard input
///   out=FILE      pcapng of both directions (see WireCapture); "-": standard output
///   pace=...      recorded (default), line, or a rate such as 100Mbit/s or 10kfps
///   scale=F       recorded times are divided by F: 2 replays twice as fast
///   loop=N        replays N times, each pass right after the one before; not from a pipe
///   fcs=yes|no    yes: frames of `in` end with their FCS (default no, unless the file says so)
///
/// The replay starts a settling time (PartnerContext::hold_flush) after link is up and the MAC is
/// ready; recorded times count from there, the first frame's being zero. Whenever the MAC is not
/// ready or link is down, the replay stands still and its remaining times move on by that long.
/// Records that go back in time are sent in file order, with the time of the one before. Frames
/// shorter than kMinFrameBytes are padded with zeros (an FCS from the file is then void).
///
/// The capture is read while it is replayed. If it is a pipe that is still being written, the next
/// frame is waited for, with simulated time (and everything else in the simulation) standing still,
/// when the NIC asks for it: so a capture gives the same run from a pipe as from a file. Of what is
/// odd about a capture one warning each is given when it has been read, or the run ends. Where it
/// is found to be damaged the replay ends, and fault() says why.
class PcapPartner final : public LinkPartner, private FrameSource, private FrameSink {
 public:
  /// Throws std::invalid_argument (option) or std::runtime_error (file), naming it. Nothing of the
  /// module has been built by then. `stop`: see PartnerContext.
  PcapPartner(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec,
              Time hold_flush, StopReading stop = {});
  ~PcapPartner() override;

  /// All frames of all passes have been taken by the NIC.
  bool exhausted() const override;
  void finish() override;
  bool swallows() const override { return true; }
  std::vector<std::string> warnings() const override;
  std::string fault() const override { return fault_; }

 private:
  /// What the options say, with files open.
  struct Setup {
    Setup(const std::string& name, const PartnerSpec& spec, StopReading stop);
    FileLock reading;
    Pace pace;
    double scale;
    std::uint64_t passes;
    std::unique_ptr<Replay> replay;
    std::unique_ptr<PcapngWriter> writer;
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

  void refill(Time now) override;
  bool take_back() override;
  void receive(Arrival arrival) override;
  bool take_back(Time last_bit, std::size_t size) override;

  PcapPartner(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec,
              Time hold_flush, Setup setup);
  bool finished() const;
  bool fetch();
  void after_reading();
  void warn();
  static void end_early(const std::string& reason);
  void pause();
  void resume();
  void send_next();
  /// While PAUSE is obeyed frames are not fetched ahead of their time, but sent when it has come.
  void send_in_time();
  Time next_start() const;
  void unsend();

  Setup setup_;
  std::unique_ptr<WireCapture> output_;
  Gate gate_;
  bool started_ = false;
  Time origin_{};
  Time paused_at_{};
  Time not_before_{};
  sc_core::sc_event send_event_;
  bool interrupted_ = false;  // while it waited for the capture
  bool warned_ = false;
  std::uint64_t oversized_ = 0;  // left out so far
  std::string fault_;

  // What was sent last, to take it back if the link goes before its first bit.
  Time last_start_{};
  std::size_t last_size_ = 0;
};

PartnerRegistry::Kind pcap_kind();

}  // namespace e1000tlm::link
