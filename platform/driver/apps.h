#pragma once
/// What the native software does with its adapters.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "e1000tlm/driver/nic.h"
#include "e1000tlm/driver/ping_result.h"
#include "e1000tlm/driver/self_test_result.h"
#include "e1000tlm/traffic/checker.h"
#include "e1000tlm/traffic/generator.h"

namespace e1000tlm::driver {

enum class AppKind : std::uint8_t {
  kSink,      ///< takes and discards every frame
  kReflect,   ///< sends every frame back where it came from, unchanged, in order
  kGenerate,  ///< sends generated frames and checks what comes back, on whichever adapter
  kForward,   ///< adapter 0 to 1 and 1 to 0 (2 to 3 ...), unchanged, in order
  kBlast,     ///< sends equal frames as fast as adapters take them; see blast.h
  kSelfTest,  ///< tests the adapters; see self_test.h
  kPing,      ///< gets an address by DHCP and pings; see ping.h
};

/// One for each stream of a run. Drivers of several boards share them, as a stream may end on
/// another board than it begins.
using StreamCheckers = std::vector<traffic::StreamChecker>;

struct AppSettings {
  AppKind kind = AppKind::kReflect;
  traffic::SizeMix sizes = traffic::SizeMix::imix();  ///< generate
  traffic::Rate rate{};                               ///< generate, each adapter
  std::uint64_t frames = 0;  ///< generate, each adapter; 0: endless. ping: requests
  std::uint64_t seed = 1;
  std::uint32_t target = 0;  ///< ping: IPv4 address as a number; 0: the gateway

  // generate, which stream is whose. Unset: each adapter's goes to the next one, and the checkers
  // are the application's own.
  std::vector<std::array<std::uint8_t, 6>> destinations;  ///< of each adapter's stream
  std::uint16_t first_stream = 0;            ///< number of the first adapter's; the others follow
  std::shared_ptr<StreamCheckers> checkers;  ///< by the number of the stream
};

/// Checkers of the streams that so many adapters send with this seed.
std::shared_ptr<StreamCheckers> make_checkers(std::uint64_t seed, std::size_t adapters);

/// One application over all adapters. service() is called whenever an interrupt came, a due time
/// was reached, or it said that there is more to do.
class App {
 public:
  virtual ~App() = default;

  /// Adapters are up and have their MAC addresses.
  virtual void start() {}
  /// Does a bounded amount of work; true: call again at once.
  virtual bool service() = 0;
  /// Local time at which it wants to be called without an interrupt.
  virtual Time due() const { return kTimeNever; }
  /// Nothing left to start by itself (a generator has sent all its frames).
  virtual bool done() const { return true; }

  struct StreamResult {
    std::uint64_t sent = 0;
    const traffic::StreamChecker* checker = nullptr;
  };
  /// One entry per generated stream.
  virtual std::vector<StreamResult> streams() const { return {}; }
  /// One entry per adapter that has been tested so far.
  virtual std::vector<SelfTestResult> self_tests() const { return {}; }
  /// One entry per adapter that pings.
  virtual std::vector<PingResult> pings() const { return {}; }

  /// Throws std::invalid_argument when the adapters do not suit (forward: an even number).
  static std::unique_ptr<App> make(const AppSettings& settings, Cpu& cpu, const Nics& nics,
                                   RamAllocator& ram);
};

}  // namespace e1000tlm::driver
