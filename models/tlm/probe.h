#pragma once
/// Typed observation points. A probe without a sink costs its owner one predictable branch.

#include <functional>
#include <utility>
#include <vector>

namespace e1000tlm {

/// Where a block announces events of type Event; any number of sinks may listen.
/// Sinks must not change the model and are attached before simulation starts.
template <class Event>
class Probe {
 public:
  /// Called in the announcing process; must not wait. Events are valid during the call.
  using Sink = std::function<void(const Event&)>;

  /// Another listener.
  void attach(Sink sink) { sinks_.push_back(std::move(sink)); }
  /// Somebody listens.
  bool armed() const { return !sinks_.empty(); }
  /// For the owner: announces an event.
  void emit(const Event& event) const {
    for (const Sink& sink : sinks_) sink(event);
  }

 private:
  std::vector<Sink> sinks_;
};

}  // namespace e1000tlm
