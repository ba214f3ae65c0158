#include "e1000tlm/tlm/async_gate.h"

#include <mutex>
#include <utility>
#include <vector>

#include "e1000tlm/tlm/kernel_sleep.h"

namespace e1000tlm {
namespace {

/// Of the kernel's lists of channels that are updated from outside and that keep a simulation
/// alive. All gates share them, and the kernel guards the one against the other no more than one
/// gate against another. One for the process, as the kernel is.
std::mutex& kernel_lists() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

class AsyncGate::Channel : public sc_core::sc_prim_channel {
 public:
  explicit Channel(const char* name) : sc_prim_channel(name) {}

  void post(Call call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    calls_.push_back(std::move(call));
    // One request covers everything posted until the calls are taken.
    if (calls_.size() > 1) return;
    {
      const std::lock_guard<std::mutex> kernel(kernel_lists());
      async_request_update();
    }
    KernelSleep::of_this_process().wake();
  }

  /// Exchanges the posted calls for the caller's empty vector, whose storage is used again.
  void take(std::vector<Call>& into) {
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_.swap(into);
  }

  void close() {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    calls_.clear();
  }

  void attach(bool on) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (on == attached_) return;
    attached_ = on;
    const std::lock_guard<std::mutex> kernel(kernel_lists());
    if (on) {
      async_attach_suspending();
    } else {
      async_detach_suspending();
    }
  }
  bool attached() const { return attached_; }

  sc_core::sc_event posted;

 private:
  void update() override { posted.notify(sc_core::SC_ZERO_TIME); }

  std::mutex mutex_;
  std::vector<Call> calls_;
  bool closed_ = false;
  bool attached_ = false;
};

AsyncGate::AsyncGate(const sc_core::sc_module_name& name)
    : sc_module(name), channel_(std::make_unique<Channel>("channel")) {
  SC_HAS_PROCESS(AsyncGate);
  SC_METHOD(run_calls);
  sensitive << channel_->posted;
  dont_initialize();
}

AsyncGate::~AsyncGate() {
  channel_->close();
  channel_->attach(false);
}

void AsyncGate::post(Call call) { channel_->post(std::move(call)); }

void AsyncGate::attach() { channel_->attach(true); }

void AsyncGate::detach() { channel_->attach(false); }

bool AsyncGate::attached() const { return channel_->attached(); }

void AsyncGate::end_of_simulation() { channel_->close(); }

void AsyncGate::run_calls() {
  channel_->take(running_);
  for (Call& call : running_) call();
  running_.clear();
}

}  // namespace e1000tlm
