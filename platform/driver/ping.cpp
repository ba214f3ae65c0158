#include "e1000tlm/driver/ping.h"

#include <algorithm>
#include <stdexcept>

#include "e1000tlm/driver/discard.h"
#include "e1000tlm/driver/ping_client.h"

namespace e1000tlm::driver {
namespace {

constexpr std::size_t kBuffers = 8;
constexpr std::uint32_t kBufferBytes = 2048;

/// One adapter's client.
class Station : public FrameTaker {
 public:
  Station(Cpu& cpu, Nic& nic, const PingSettings& settings, RamAllocator& ram)
      : cpu_(cpu),
        nic_(nic),
        client_(settings),
        pool_(ram, kBuffers, kBufferBytes, nic.headroom()) {}

  bool service() {
    nic_.reclaim();
    const bool more = nic_.receive(*this, kBudget) == kBudget;
    while (!pool_.empty() && nic_.tx_room() > 0) {
      const std::vector<std::uint8_t>* const frame = client_.next(cpu_.time().now());
      if (frame == nullptr) break;
      const std::uint64_t buffer = pool_.take();
      const auto bytes = static_cast<std::uint32_t>(frame->size());
      cpu_.store(buffer, frame->data(), bytes);
      if (!nic_.send(buffer, bytes, pool_)) {
        throw std::logic_error("transmit ring full although it had room");
      }
    }
    nic_.flush();
    return more;
  }
  Time due() const { return pool_.empty() || nic_.tx_room() == 0 ? kTimeNever : client_.due(); }
  const PingClient& client() const { return client_; }

 private:
  bool take(std::uint64_t address, std::uint32_t bytes, BufferPool& home) override {
    scratch_.resize(bytes);
    cpu_.load(address, scratch_.data(), bytes);
    home.give(address);
    client_.receive(scratch_, cpu_.time().now());
    return true;
  }

  Cpu& cpu_;
  Nic& nic_;
  PingClient client_;
  BufferPool pool_;
  std::vector<std::uint8_t> scratch_;
};

class Ping : public App {
 public:
  Ping(const AppSettings& settings, Cpu& cpu, const Nics& nics, RamAllocator& ram) {
    for (std::size_t i = 0; i < nics.size(); ++i) {
      PingSettings ping;
      ping.mac = nics[i]->mac();
      ping.target = settings.target;
      ping.count = settings.frames;
      ping.identifier = static_cast<std::uint16_t>(settings.first_stream + i + 1);
      stations_.push_back(std::make_unique<Station>(cpu, *nics[i], ping, ram));
    }
  }

  bool service() override {
    bool more = false;
    for (const auto& station : stations_) more = station->service() || more;
    return more;
  }
  Time due() const override {
    Time earliest = kTimeNever;
    for (const auto& station : stations_) earliest = std::min(earliest, station->due());
    return earliest;
  }
  bool done() const override {
    return std::all_of(stations_.begin(), stations_.end(),
                       [](const auto& station) { return station->client().done(); });
  }
  std::vector<PingResult> pings() const override {
    std::vector<PingResult> results;
    for (const auto& station : stations_) results.push_back(station->client().result());
    return results;
  }

 private:
  std::vector<std::unique_ptr<Station>> stations_;
};

}  // namespace

std::unique_ptr<App> make_ping(const AppSettings& settings, Cpu& cpu, const Nics& nics,
                               RamAllocator& ram) {
  return std::make_unique<Ping>(settings, cpu, nics, ram);
}

}  // namespace e1000tlm::driver
