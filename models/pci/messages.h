#pragma once
/// MSI-X as the device behind a function sees it.

#include <systemc>

namespace e1000tlm::pci {

/// Message-signalled interrupts of a function (PCI 3.0 6.8.2).
class MessagesIf : public virtual sc_core::sc_interface {
 public:
  /// MSI-X is enabled: INTx is silent.
  virtual bool messages_enabled() const = 0;
  /// Sends the vector's message as soon as the bus allows; while it or the function is masked it
  /// is pending, once. Ignored for vectors that the function does not have, and while MSI-X is off.
  /// Goes at the present time: accesses of the device that have ended are on the bus before it, so
  /// that a process that runs ahead of time synchronises first. Must not wait.
  virtual void send_message(unsigned vector) = 0;
};

}  // namespace e1000tlm::pci
