#pragma once
/// The native software as a whole: finds the adapters, brings them up, runs one application.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "e1000tlm/driver/apps.h"
#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/driver/e1000_nic.h"
#include "e1000tlm/driver/nic.h"

namespace e1000tlm::driver {

struct DriverSettings {
  NicSettings nic{};
  NicDelays delays{};  ///< of e1000 adapters
  AppSettings app{};
  std::uint64_t ram_bytes = 64u << 20;  ///< RAM from address 0
  unsigned nics = 1;                    ///< how many must be found
  Time link_timeout = ms(10'000);       ///< simulated time until every adapter must have link
};

/// All of it runs in one thread, as on a machine with one core: interrupt lines are looked at, the
/// adapters that interrupted are served (NAPI style: masked while there is work), then the core
/// waits. Receivers are switched on when every adapter has link, so that no replay meets a
/// half-built machine.
class Driver : public Program {
 public:
  Driver(Cpu& cpu, const DriverSettings& settings);

  void run() override;

  /// Brought up, receivers on.
  bool ready() const { return ready_; }
  Time ready_time() const { return ready_time_; }
  /// Called in the program when it becomes ready.
  void on_ready(std::function<void()> call) { on_ready_ = std::move(call); }
  /// Why the program gave up; empty: it did not.
  const std::string& error() const { return error_; }
  /// The application is done and nothing waits to be handled; no simulated time.
  bool idle();
  const Nics& nics() const { return nics_; }
  const App* app() const { return app_.get(); }

 private:
  void bring_up();
  void await_link();
  void work();

  Cpu& cpu_;
  DriverSettings settings_;
  RamAllocator ram_;
  PciHost pci_;
  Nics nics_;
  std::unique_ptr<App> app_;
  bool ready_ = false;
  Time ready_time_ = kTimeZero;
  std::function<void()> on_ready_;
  std::string error_;
};

}  // namespace e1000tlm::driver
