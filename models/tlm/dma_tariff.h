#pragma once
/// How an interconnect prices DMI accesses exactly.
///
/// IEEE 1666 lets a DMI region carry one average latency per access. A PCI bus is priced per
/// tenure: so the interconnect may also hand out, with the region, a function that books a tenure
/// and says when it ends. It travels in an ignorable extension: an initiator that asks for DMI with
/// it gets the exact price from interconnects that know it and falls back to the latency with all
/// others.

#include <cstdint>

#include <tlm>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm {

/// Books accesses of one initiator on an interconnect. Lives as long as the interconnect, whether
/// or not the DMI regions that came with it are still valid.
class Tariff {
 public:
  /// A booked access.
  struct Booking {
    Time end{};  ///< as far as is known
    /// The interconnect's own.
    std::uint32_t ticket = 0;
  };

  virtual ~Tariff() = default;

  /// Books one access of `bytes` > 0 at `address` that is requested at local time `at`, which may
  /// lie ahead of the kernel's time.
  virtual Booking book(::tlm::tlm_command command, std::uint64_t address, std::uint32_t bytes,
                       Time at) = 0;

  /// Approximately timed, for an initiator who knows that nobody else can do anything before
  /// `limit`: the end of the access if it has ended by then, and is closed. kTimeNever: nothing has
  /// been booked, take the long way.
  virtual Time book_before(::tlm::tlm_command command, std::uint64_t address, std::uint32_t bytes,
                           Time at, Time limit) {
    (void)command, (void)address, (void)bytes, (void)at, (void)limit;
    return kTimeNever;
  }

  /// Approximately timed: others may push an access back, so whoever booked waits until `end` and
  /// asks here. True: it has ended, and the booking is closed. False: `end` is later now.
  /// `now`: the kernel's time, or a later one if nobody else can do anything before that.
  virtual bool ended(Booking& booking, Time now) = 0;
};

/// Rides on the payload of get_direct_mem_ptr; the interconnect sets `tariff` with the region.
struct TariffExtension : public ::tlm::tlm_extension<TariffExtension> {
  /// nullptr: none was handed out.
  Tariff* tariff = nullptr;

  /// For the payload's owner.
  ::tlm::tlm_extension_base* clone() const override { return new TariffExtension(*this); }
  /// Ditto.
  void copy_from(const ::tlm::tlm_extension_base& other) override {
    tariff = static_cast<const TariffExtension&>(other).tariff;
  }
};

/// Rides on a transaction that has been booked by a Tariff and has ended, but could not move its
/// data because DMI was withdrawn meanwhile. Interconnects that hand out tariffs carry it through
/// at once, without asking for its price again; others need not know it.
struct PaidExtension : public ::tlm::tlm_extension<PaidExtension> {
  /// For the payload's owner.
  ::tlm::tlm_extension_base* clone() const override { return new PaidExtension(*this); }
  /// There is nothing in it.
  void copy_from(const ::tlm::tlm_extension_base&) override {}
};

}  // namespace e1000tlm
