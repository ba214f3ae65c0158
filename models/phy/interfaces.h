#pragma once
/// The two interfaces between a MAC and its PHY.

#include <cstdint>
#include <optional>

#include <systemc>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/wire.h"

namespace e1000tlm::phy {

/// Management registers (IEEE 802.3 clause 22).
class MdioIf : public virtual sc_core::sc_interface {
 public:
  /// Nobody answers at this PHY address: nullopt / false.
  virtual std::optional<std::uint16_t> mdio_read(unsigned phy_address, unsigned reg) = 0;
  /// False: no PHY has that address.
  virtual bool mdio_write(unsigned phy_address, unsigned reg, std::uint16_t value) = 0;
  /// Without side effects (latched and read-clear bits stay).
  virtual std::optional<std::uint16_t> mdio_peek(unsigned phy_address, unsigned reg) const = 0;

  /// The PHY's interrupt pin (INT#), true = asserted. A PHY without one leaves both as they are.
  virtual bool interrupt() const { return false; }
  /// Notified on every change of interrupt(); null: it never changes.
  virtual const sc_core::sc_event* interrupt_event() const { return nullptr; }
};

/// What the PHY tells the MAC about the link.
struct LinkStatus {
  /// Frames can be sent and received.
  bool up = false;
  /// While it is up.
  link::LinkMode mode{};
  bool loopback = false;  ///< frames come back from the PHY and never reach the wire
  /// The same status.
  bool operator==(const LinkStatus& o) const {
    return up == o.up && mode == o.mode && loopback == o.loopback;
  }
};

/// What the MAC grants the PHY while the system sleeps (8254x manual 11.4).
enum class PhyPower : std::uint8_t {
  kFull,
  kSlow,  ///< advertises 10 and 100 Mbit/s only
  kDown,  ///< silent, as with PCTRL's power-down bit; registers stay
};

/// Frames between MAC and PHY, with times at the medium side. The PHY adds its own latency.
class GmiiIf : public virtual sc_core::sc_interface {
 public:
  /// As it is now.
  virtual const LinkStatus& link() const = 0;
  /// Notified on every change of link().
  virtual const sc_core::sc_event& link_event() const = 0;

  /// Starts a frame no sooner than `earliest`, keeping gap_bytes to the one before. Returns the
  /// time its last bit has left the MAC. Without link the frame is lost and counted.
  virtual Time transmit(link::FramePtr frame, Time earliest, std::size_t gap_bytes) = 0;
  /// When the last bit of the last frame has left the MAC.
  virtual Time busy_until() const = 0;

  /// As CableEndIf::next and take: from the wire, or from the loopback path.
  virtual const link::Arrival* next(Time now) = 0;
  /// Takes what next() shows.
  virtual link::Arrival take() = 0;
  /// Notified when next() may have become non-null.
  virtual const sc_core::sc_event& arrival_event() const = 0;

  /// As CableEndIf::set_ready.
  virtual void set_ready(bool ready) = 0;

  /// The PHY's hardware reset pin (CTRL.PHY_RST): while true, no link and no MDIO answer.
  virtual void hardware_reset(bool asserted) = 0;
  /// Every change starts the link afresh.
  virtual void set_power(PhyPower power) = 0;
};

}  // namespace e1000tlm::phy
