#pragma once
/// From the device's interrupts to a client's eventfds. No SystemC.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/plugs/vfio_user/event_signal.h"
#include "e1000tlm/plugs/vfio_user/protocol.h"

namespace e1000tlm::plugs::vfio_user {

/// INTx is a level: its eventfd is signalled once and the line masked; when the client unmasks it
/// (by a message, or by an eventfd as KVM does) it is signalled again if the level is still high.
/// MSI and MSI-X: each message is one signal. A vector of MSI-X is open while it has an eventfd and
/// the client has not masked it.
class Interrupts {
 public:
  /// Of a device with MSI or not, and so many vectors of MSI-X.
  explicit Interrupts(bool msi = false, unsigned vectors = 0) : msi_(msi), vectors_(vectors) {}

  /// Does what the client asks for. A refusal: there is no such interrupt, or what came is no
  /// eventfd; nothing has changed then.
  std::optional<Refusal> set(const SetIrqs& request, std::vector<link::UniqueFd> descriptors);
  /// How many interrupts of this kind there are.
  std::uint32_t count(Irq kind) const;
  /// The line is high or low from now on.
  void set_level(bool high);
  /// Command bit 10: the line is not to be signalled.
  void disable_intx(bool disabled);
  /// The device has sent its message (MSI). Kept until there is an eventfd.
  void message();
  /// Ditto of a vector of MSI-X that exists. Kept until it is open.
  void message(unsigned vector);
  /// The client masks a vector of MSI-X that exists, or unmasks it.
  void mask(unsigned vector, bool masked);
  /// See above.
  bool open(unsigned vector) const { return vectors_[vector].trigger && !vectors_[vector].masked; }
  /// Readable when the client unmasks INTx; negative: it does not do so by an eventfd.
  int unmask_fd() const { return unmask_.get(); }
  /// That descriptor is readable.
  void unmasked();
  /// Forgets all descriptors and masks; the level stays.
  void clear();

  /// Signals of INTx so far.
  std::uint64_t intx_signals() const { return intx_signals_; }
  /// Signals of MSI so far.
  std::uint64_t msi_signals() const { return msi_signals_; }
  /// Signals of MSI-X so far.
  std::uint64_t msix_signals() const { return msix_signals_; }

 private:
  struct Vector {
    link::UniqueFd trigger;
    bool masked = false;
    bool pending = false;
  };
  void turn_off(Irq kind);
  std::optional<Refusal> set_trigger(Irq kind, const SetIrqs& request, link::UniqueFd descriptor);
  std::optional<Refusal> set_mask(const SetIrqs& request, link::UniqueFd descriptor);
  std::optional<Refusal> set_vectors(const SetIrqs& request,
                                     std::vector<link::UniqueFd> descriptors);
  void update();
  void send_message();
  void send(Vector& vector);

  bool msi_;
  std::array<link::UniqueFd, kIrqKinds> triggers_;  // but of MSI-X
  std::vector<Vector> vectors_;                     // of MSI-X
  link::UniqueFd unmask_;
  EventSignal signal_;
  bool level_ = false;
  bool masked_ = false;
  bool disabled_ = false;
  bool message_pending_ = false;
  std::uint64_t intx_signals_ = 0, msi_signals_ = 0, msix_signals_ = 0;
};

}  // namespace e1000tlm::plugs::vfio_user
