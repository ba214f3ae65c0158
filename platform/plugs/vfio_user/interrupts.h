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
/// MSI: each message is one signal.
class Interrupts {
 public:
  /// Does what the client asks for. A refusal: there is no such interrupt, or what came is no
  /// eventfd.
  std::optional<Refusal> set(const SetIrqs& request, std::vector<link::UniqueFd> descriptors,
                             bool has_msi);
  /// The line is high or low from now on.
  void set_level(bool high);
  /// Command bit 10: the line is not to be signalled.
  void disable_intx(bool disabled);
  /// The device has sent its message. Kept until there is an eventfd.
  void message();
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

 private:
  std::optional<Refusal> set_trigger(Irq kind, const SetIrqs& request, link::UniqueFd descriptor);
  std::optional<Refusal> set_mask(const SetIrqs& request, link::UniqueFd descriptor);
  void update();
  void send_message();

  std::array<link::UniqueFd, kIrqKinds> triggers_;
  link::UniqueFd unmask_;
  EventSignal signal_;
  bool level_ = false;
  bool masked_ = false;
  bool disabled_ = false;
  bool message_pending_ = false;
  std::uint64_t intx_signals_ = 0, msi_signals_ = 0;
};

}  // namespace e1000tlm::plugs::vfio_user
