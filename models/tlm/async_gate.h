#pragma once
/// The one place where host threads meet the SystemC kernel.

#include <functional>
#include <memory>
#include <vector>

#include <systemc>

namespace e1000tlm {

/// Carries calls from host threads into the simulation.
///
/// Any host thread may post(); the function runs in the simulation, in a method process of this
/// module, at the simulated time the kernel has then, in the order of posting. While at least one
/// gate is attached, a simulation with nothing left to do waits for posts instead of ending.
class AsyncGate : public sc_core::sc_module {
 public:
  /// What runs in the simulation.
  using Call = std::function<void()>;

  /// Made during elaboration.
  explicit AsyncGate(const sc_core::sc_module_name& name);
  ~AsyncGate() override;

  /// Thread-safe; never blocks for long. Posts after the simulation has ended are discarded. The
  /// call must not wait.
  void post(Call call);

  /// Kernel side only: keep the simulation alive although it has nothing to do / stop doing so.
  void attach();
  /// The opposite of attach().
  void detach();
  /// Between attach() and detach().
  bool attached() const;

 private:
  class Channel;

  void end_of_simulation() override;
  void run_calls();

  std::unique_ptr<Channel> channel_;
  std::vector<Call> running_;
};

}  // namespace e1000tlm
