#pragma once
/// Listens to the probes of one adapter.

#include <cstdint>
#include <memory>
#include <optional>

#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/trace/event.h"
#include "e1000tlm/trace/pins.h"

namespace e1000tlm::trace {

/// Takes what taps have to tell.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// Something happened. `follow`: it tells of the way of a frame, see PathFinder.
  virtual void tell(const Event& event, bool follow) = 0;
  /// See PathFinder::tail().
  virtual void tail(std::uint16_t nic, std::uint32_t tdt, std::uint32_t entries) = 0;
};

/// The wire and pins of any card, and what it is asked of accesses on the bus. The base class knows
/// no more; models that have more to say derive from it.
class NicTap {
 public:
  /// `sink` and `slot` must outlive it.
  NicTap(EventSink& sink, platform::NicSlot& slot, std::uint16_t nic, std::uint16_t board);
  virtual ~NicTap();
  NicTap(const NicTap&) = delete;
  NicTap& operator=(const NicTap&) = delete;

  /// Its pins as well.
  virtual void watch_pins();
  /// Of all boards.
  std::uint16_t nic() const { return nic_; }
  /// An event of this adapter.
  Event make(Kind kind, Time at, Time end) const;

  /// What an access of the adapter's was for.
  virtual Use use_of(std::uint64_t address, bool write);
  /// The register at this address on the bus, by its offset; nullopt: it has none there.
  virtual std::optional<std::uint32_t> register_at(std::uint64_t address) const = 0;
  /// Its frames are followed: all that PathFinder needs is told.
  virtual bool followed() const = 0;
  /// Software has accessed a register.
  virtual void accessed(std::uint32_t offset, bool write, Time at);

 protected:
  /// A frame was on the wire and has been told of.
  virtual void carried(const link::WireEvent& event, bool mac_control);
  void tell(const Event& event) { sink_.tell(event, followed()); }
  /// Tells of changes of a level; after watch_pins().
  void watch_pin(Pin pin, const sc_core::sc_signal<bool>& level);
  /// Where a memory BAR stands now.
  std::uint64_t bar(unsigned index) const;

  EventSink& sink_;
  platform::NicSlot& slot_;

 private:
  void wire(const link::WireEvent& event);

  std::uint16_t nic_, board_;
  std::unique_ptr<PinWatch> pins_;
};

/// The one for the card in a slot.
std::unique_ptr<NicTap> make_nic_tap(EventSink& sink, platform::NicSlot& slot, std::uint16_t nic,
                                     std::uint16_t board);

}  // namespace e1000tlm::trace
