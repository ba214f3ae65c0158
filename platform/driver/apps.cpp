#include "e1000tlm/driver/apps.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "e1000tlm/driver/blast.h"
#include "e1000tlm/driver/discard.h"
#include "e1000tlm/driver/ping.h"
#include "e1000tlm/driver/self_test.h"

namespace e1000tlm::driver {
namespace {

class Sink : public App {
 public:
  explicit Sink(const Nics& nics) : nics_(nics) {}

  bool service() override { return discard_.service(nics_); }

 private:
  const Nics& nics_;
  Discard discard_;
};

/// Frames of one adapter out of another (or the same), in the buffers they came in. When the
/// transmit ring is full they stay where they are: the receive ring is then not refilled, and the
/// next transmit interrupt carries on.
class Lane : public FrameTaker {
 public:
  Lane(Nic& from, Nic& to) : from_(from), to_(to) {}

  bool service() {
    to_.reclaim();
    const bool more = from_.receive(*this, kBudget) == kBudget;
    to_.flush();
    return more;
  }

 private:
  bool take(std::uint64_t address, std::uint32_t bytes, BufferPool& home) override {
    return to_.send(address, bytes, home);
  }

  Nic& from_;
  Nic& to_;
};

class Lanes : public App {
 public:
  void add(Nic& from, Nic& to) { lanes_.emplace_back(from, to); }

  bool service() override {
    bool more = false;
    for (Lane& lane : lanes_) more = lane.service() || more;
    return more;
  }

 private:
  std::vector<Lane> lanes_;
};

/// One generated stream out of one adapter.
class Source {
 public:
  Source(Cpu& cpu, Nic& nic, RamAllocator& ram, const traffic::GeneratorConfig& config)
      : cpu_(cpu),
        nic_(nic),
        generator_(config),
        pool_(ram, nic.settings().tx_descriptors,
              static_cast<std::uint32_t>((config.sizes.largest() + 63) & ~std::size_t{63}),
              nic.headroom()),
        scratch_(config.sizes.largest()) {}

  void start(Time now) { start_ = now; }

  /// True when the budget ended it and not the clock, the ring or the number of frames.
  bool service() {
    nic_.reclaim();
    unsigned sent = 0;
    while (sent < kBudget && ready()) {
      const std::uint64_t buffer = pool_.take();
      const auto bytes = static_cast<std::uint32_t>(generator_.size());
      write(buffer, bytes);
      if (!nic_.send(buffer, bytes, pool_)) {
        throw std::logic_error("transmit ring full although it had room");
      }
      ++sent;
    }
    nic_.flush();
    return sent == kBudget;
  }
  Time due() const {
    if (generator_.done() || pool_.empty() || nic_.tx_room() == 0) return kTimeNever;
    return generator_.due() < kTimeNever - start_ ? start_ + generator_.due() : kTimeNever;
  }
  bool done() const { return generator_.done(); }
  std::uint64_t sent() const { return generator_.sent(); }

 private:
  bool ready() const { return due() <= cpu_.time().now(); }

  void write(std::uint64_t buffer, std::uint32_t bytes) {
    const Time stamp = cpu_.time().now();
    if (std::uint8_t* window = cpu_.window(buffer, bytes)) {
      generator_.write(window, stamp);
    } else {
      generator_.write(scratch_.data(), stamp);
      cpu_.store(buffer, scratch_.data(), bytes);
    }
  }

  Cpu& cpu_;
  Nic& nic_;
  traffic::FrameGenerator generator_;
  BufferPool pool_;
  std::vector<std::uint8_t> scratch_;
  Time start_ = kTimeZero;
};

class Generate : public App, private FrameTaker {
 public:
  Generate(const AppSettings& settings, Cpu& cpu, const Nics& nics, RamAllocator& ram)
      : cpu_(cpu),
        nics_(nics),
        first_stream_(settings.first_stream),
        checkers_(settings.checkers ? settings.checkers
                                    : make_checkers(settings.seed, nics.size())),
        scratch_(settings.sizes.largest() + kSlack) {
    for (std::size_t i = 0; i < nics.size(); ++i) {
      const std::size_t stream = first_stream_ + i;
      traffic::GeneratorConfig config;
      config.sizes = settings.sizes;
      config.rate = settings.rate;
      config.frames = settings.frames;
      config.seed = settings.seed + stream;
      config.stream = static_cast<std::uint16_t>(stream);
      config.source = nics[i]->mac();
      config.destination = i < settings.destinations.size() ? settings.destinations[i]
                                                            : nics[(i + 1) % nics.size()]->mac();
      sources_.push_back(std::make_unique<Source>(cpu, *nics[i], ram, config));
    }
  }

  void start() override {
    for (auto& source : sources_) source->start(cpu_.time().now());
  }

  bool service() override {
    bool more = false;
    for (const auto& nic : nics_) more = nic->receive(*this, kBudget) == kBudget || more;
    for (const auto& source : sources_) more = source->service() || more;
    return more;
  }

  Time due() const override {
    Time earliest = kTimeNever;
    for (const auto& source : sources_) earliest = std::min(earliest, source->due());
    return earliest;
  }

  bool done() const override {
    return std::all_of(sources_.begin(), sources_.end(),
                       [](const auto& source) { return source->done(); });
  }

  std::vector<StreamResult> streams() const override {
    std::vector<StreamResult> results;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      results.push_back({sources_[i]->sent(), &(*checkers_)[first_stream_ + i]});
    }
    return results;
  }

 private:
  static constexpr std::size_t kSlack = 2048;

  bool take(std::uint64_t address, std::uint32_t bytes, BufferPool& home) override {
    const std::uint8_t* data = cpu_.window(address, bytes);
    if (data == nullptr) {
      scratch_.resize(std::max<std::size_t>(scratch_.size(), bytes));
      cpu_.load(address, scratch_.data(), bytes);
      data = scratch_.data();
    }
    check(ConstBytes(data, bytes));
    home.give(address);
    return true;
  }

  void check(ConstBytes frame) {
    const auto stream = traffic::stream_of(frame);
    const std::size_t index = stream && *stream < checkers_->size() ? *stream : first_stream_;
    (*checkers_)[index].check(frame, cpu_.time().now());
  }

  Cpu& cpu_;
  const Nics& nics_;
  std::size_t first_stream_;
  std::shared_ptr<StreamCheckers> checkers_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace

std::shared_ptr<StreamCheckers> make_checkers(std::uint64_t seed, std::size_t adapters) {
  auto checkers = std::make_shared<StreamCheckers>();
  checkers->reserve(adapters);
  for (std::size_t i = 0; i < adapters; ++i) {
    checkers->emplace_back(seed + i, static_cast<std::uint16_t>(i));
  }
  return checkers;
}

std::unique_ptr<App> App::make(const AppSettings& settings, Cpu& cpu, const Nics& nics,
                               RamAllocator& ram) {
  switch (settings.kind) {
    case AppKind::kSink: return std::make_unique<Sink>(nics);
    case AppKind::kGenerate: return std::make_unique<Generate>(settings, cpu, nics, ram);
    case AppKind::kBlast: return make_blast(settings, cpu, nics, ram);
    case AppKind::kSelfTest: return make_self_test(cpu, nics, ram);
    case AppKind::kPing: return make_ping(settings, cpu, nics, ram);
    case AppKind::kReflect: {
      auto lanes = std::make_unique<Lanes>();
      for (const auto& nic : nics) lanes->add(*nic, *nic);
      return lanes;
    }
    case AppKind::kForward: break;
  }
  if (nics.empty() || nics.size() % 2 != 0) {
    throw std::invalid_argument("forward needs adapters in pairs, found " +
                                std::to_string(nics.size()));
  }
  auto lanes = std::make_unique<Lanes>();
  for (std::size_t i = 0; i < nics.size(); i += 2) {
    lanes->add(*nics[i], *nics[i + 1]);
    lanes->add(*nics[i + 1], *nics[i]);
  }
  return lanes;
}

}  // namespace e1000tlm::driver
