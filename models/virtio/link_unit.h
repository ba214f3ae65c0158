#pragma once
/// The device's link: what its end of the cable says and sees, and what the driver is told.

#include <functional>
#include <utility>

#include <systemc>

#include "e1000tlm/link/wire.h"
#include "e1000tlm/virtio/net_core.h"

namespace e1000tlm::virtio {

/// The device is a cable's end itself: it has link as soon as the far end signals, at the best
/// speed that both can do.
class LinkUnit : public sc_core::sc_module {
 public:
  LinkUnit(const sc_core::sc_module_name& name, NetCore& core);

  /// The cable is there; before simulation starts.
  void connect();
  /// Called after every change.
  void set_listener(std::function<void(bool up)> call) { listener_ = std::move(call); }
  /// Called when the cable's own link may have changed.
  void set_cable_listener(std::function<void()> call) { cable_listener_ = std::move(call); }
  /// Somebody beside the device carries its packets, or is (not) there to do it.
  void set_carried(bool there);
  /// There is link: by the cable, if there is one, and with whoever carries packets.
  bool up() const { return up_; }
  /// Nothing is wrong with the cable.
  bool cable_up() const { return cable_up_; }
  /// In Mbit/s; as of the last link.
  std::uint32_t speed() const;
  bool full_duplex() const { return mode_.full_duplex; }
  /// Notified (a delta cycle later) when up() changes.
  const sc_core::sc_event& changed() const { return changed_; }

  /// Of the device's configuration.
  std::uint16_t status() const;

 private:
  void negotiate();
  void update();

  NetCore& core_;
  std::function<void(bool)> listener_;
  std::function<void()> cable_listener_;
  sc_core::sc_event changed_;
  link::LinkMode mode_{};
  bool cable_up_ = true;
  bool carried_ = true;
  bool up_ = false;
  bool was_up_ = false;  // there has been link
};

}  // namespace e1000tlm::virtio
