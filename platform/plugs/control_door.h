#pragma once
/// Carries requests of the control socket into the simulation, and holds simulated time.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <systemc>

#include "e1000tlm/plugs/control_protocol.h"
#include "e1000tlm/plugs/control_server.h"
#include "e1000tlm/tlm/async_gate.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::plugs {

/// What is behind the door.
class ControlBackend {
 public:
  virtual ~ControlBackend() = default;
  /// Carries out a method other than the door's own (pause, resume, step, time). Returns JSON in
  /// one line. In a process of the simulation; must not wait. Throws ControlError, or
  /// std::exception for what could not be done.
  virtual std::string call(const ControlRequest& request) = 0;
  /// The run is to end although time stands still (Ctrl-C).
  virtual bool stop_wanted() const = 0;
};

/// Requests are carried out between the events of the simulation, in the order in which they come
/// in. Those that only read change nothing: no event of the model, no result. While time is held,
/// the kernel goes round in delta cycles at that time, and sleeps in between.
class ControlDoor : public sc_core::sc_module {
 public:
  /// `address` as StreamAddress has it, which listens; with pause=on simulated time stands still at
  /// 0 until a client resumes it. Throws as ControlServer does.
  ControlDoor(const sc_core::sc_module_name& name, ControlBackend& backend,
              const std::string& address);
  ~ControlDoor() override;

  /// Time is held.
  bool paused() const { return paused_; }

 private:
  using Client = ControlServer::Client;
  /// A step that has not been made yet.
  struct Step {
    Client client;
    std::string id;
  };

  void start_of_simulation() override;
  void end_of_simulation() override;
  void request(Client client, ControlRequest request);
  void carry_out(Client client, const ControlRequest& request);
  std::optional<std::string> perform(Client client, const ControlRequest& request);
  void hold();
  void end_step();
  std::string time() const;
  void finish_step(const std::string& line);

  ControlBackend& backend_;
  AsyncGate gate_;
  bool paused_ = false;
  std::optional<Step> step_;
  sc_core::sc_event again_{"again"};
  sc_core::sc_event step_over_{"step_over"};
  std::mutex mutex_;
  std::condition_variable posted_;
  std::uint64_t waiting_ = 0;  // posted and not carried out; guarded by mutex_
  std::unique_ptr<ControlServer> server_;
};

}  // namespace e1000tlm::plugs
