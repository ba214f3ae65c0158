#pragma once
/// What the SystemC tests of this folder share.

#include <functional>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link::test {

/// Runs a function as the only thread of a test.
class Script : public sc_core::sc_module {
 public:
  explicit Script(std::function<void()> steps, const char* name = "script")
      : sc_module(sc_core::sc_module_name(name)), steps_(std::move(steps)) {
    SC_HAS_PROCESS(Script);
    SC_THREAD(run);
  }

 private:
  void run() { steps_(); }
  std::function<void()> steps_;
};

inline void wait_for(Time span) { sc_core::wait(to_sc(span)); }
inline void wait_delta() { sc_core::wait(sc_core::SC_ZERO_TIME); }

/// Counts notifications of an event.
class EventCounter : public sc_core::sc_module {
 public:
  EventCounter(const char* name, const sc_core::sc_event& event)
      : sc_module(sc_core::sc_module_name(name)) {
    SC_HAS_PROCESS(EventCounter);
    SC_METHOD(count);
    sensitive << event;
    dont_initialize();
  }
  int notifications = 0;

 private:
  void count() { ++notifications; }
};

/// Keeps what it is given.
class Collector : public FrameSink {
 public:
  void receive(Arrival arrival) override {
    called_at.push_back(sc_now());
    arrivals.push_back(std::move(arrival));
  }
  std::vector<Arrival> arrivals;
  std::vector<Time> called_at;
};

/// The NIC's side of a cable: negotiates at once, pulls frames and keeps them.
class TestNic : public sc_core::sc_module {
 public:
  explicit TestNic(CableEndIf& end, const Abilities& abilities = gigabit_abilities())
      : sc_module(sc_core::sc_module_name("nic")), end_(end), abilities_(abilities) {
    SC_HAS_PROCESS(TestNic);
    SC_METHOD(negotiate);
    sensitive << end.change_event() << again_;
    SC_THREAD(receive);
  }

  /// Pretends to lose and regain the cable's signal.
  void disconnect() {
    connected_ = false;
    again_.notify(sc_core::SC_ZERO_TIME);
  }
  void connect() {
    connected_ = true;
    again_.notify(sc_core::SC_ZERO_TIME);
  }

  std::vector<Arrival> received;

 private:
  void negotiate() {
    const std::optional<Abilities> other = end_.partner();
    end_.advertise(connected_ ? std::optional<Abilities>(abilities_) : std::nullopt);
    end_.set_link(connected_ && other ? resolve(abilities_, *other) : std::nullopt);
  }
  void receive() {
    for (;;) {
      const Arrival* next = end_.next(sc_now());
      if (next == nullptr) {
        wait(end_.arrival_event());
      } else if (next->last_bit > sc_now()) {
        wait(to_sc(next->last_bit - sc_now()), end_.change_event());
      } else {
        received.push_back(end_.take());
      }
    }
  }

  CableEndIf& end_;
  Abilities abilities_;
  bool connected_ = true;
  sc_core::sc_event again_{"again"};
};

}  // namespace e1000tlm::link::test
