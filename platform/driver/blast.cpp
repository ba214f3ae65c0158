#include "e1000tlm/driver/blast.h"

#include <algorithm>

#include "e1000tlm/driver/discard.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::driver {
namespace {

constexpr std::uint16_t kLocalExperiment = 0x88B5;  // EtherType for experiments (IEEE 802)

std::vector<std::uint8_t> make_frame(const Nic& from, const std::array<std::uint8_t, 6>& to,
                                     std::size_t bytes) {
  std::vector<std::uint8_t> frame(bytes);
  std::copy(to.begin(), to.end(), frame.begin());
  std::copy(from.mac().begin(), from.mac().end(), frame.begin() + 6);
  store_be16(frame.data() + 12, kLocalExperiment);
  return frame;
}

/// One adapter's share.
class Stream {
 public:
  Stream(Cpu& cpu, Nic& nic, const std::vector<std::uint8_t>& frame, std::uint64_t frames,
         RamAllocator& ram)
      : nic_(nic),
        bytes_(static_cast<std::uint32_t>(frame.size())),
        frames_(frames),
        pool_(ram, nic.settings().tx_descriptors, (bytes_ + 63) & ~63U, nic.headroom()) {
    std::vector<std::uint64_t> buffers;
    for (; !pool_.empty(); buffers.push_back(pool_.take())) {
    }
    for (const std::uint64_t buffer : buffers) {
      cpu.store(buffer, frame.data(), bytes_);
      pool_.give(buffer);
    }
  }

  /// True when only the budget ended it.
  bool service() {
    nic_.reclaim();
    unsigned sent = 0;
    for (; sent < kBudget && ready(); ++sent, ++sent_) nic_.send(pool_.take(), bytes_, pool_);
    nic_.flush();
    return sent == kBudget;
  }
  bool done() const { return frames_ != 0 && sent_ == frames_; }

 private:
  bool ready() const { return !done() && !pool_.empty() && nic_.tx_room() > 0; }

  Nic& nic_;
  std::uint32_t bytes_;
  std::uint64_t frames_;  // 0: endless
  std::uint64_t sent_ = 0;
  BufferPool pool_;
};

class Blast : public App {
 public:
  Blast(const AppSettings& settings, Cpu& cpu, const Nics& nics, RamAllocator& ram) : nics_(nics) {
    streams_.reserve(nics.size());
    for (std::size_t i = 0; i < nics.size(); ++i) {
      const auto& to = i < settings.destinations.size() ? settings.destinations[i]
                                                        : nics[(i + 1) % nics.size()]->mac();
      streams_.emplace_back(
          cpu, *nics[i], make_frame(*nics[i], to, settings.sizes.largest() - traffic::kFcsLength),
          settings.frames, ram);
    }
  }

  bool service() override {
    bool more = discard_.service(nics_);
    for (Stream& stream : streams_) more = stream.service() || more;
    return more;
  }
  bool done() const override {
    return std::all_of(streams_.begin(), streams_.end(), [](const Stream& s) { return s.done(); });
  }

 private:
  const Nics& nics_;
  Discard discard_;
  std::vector<Stream> streams_;
};

}  // namespace

std::unique_ptr<App> make_blast(const AppSettings& settings, Cpu& cpu, const Nics& nics,
                                RamAllocator& ram) {
  return std::make_unique<Blast>(settings, cpu, nics, ram);
}

}  // namespace e1000tlm::driver
