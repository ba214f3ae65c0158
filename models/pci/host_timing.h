#pragma once
/// Hosts by name: how their arbiters and bridges behave, and where that is known from. No SystemC.

#include <gsl/span>
#include <optional>
#include <string>
#include <string_view>

#include "e1000tlm/pci/timing.h"

namespace e1000tlm::pci {

/// How a host came to its figures.
enum class HostSource : std::uint8_t {
  kAssumed,  ///< nobody measured them; for comparison
  kFitted,   ///< to the published measurements that `source` names
};

/// A host by name.
struct HostProfile {
  /// As in parse_host().
  std::string_view name;
  /// How it came to its figures.
  HostSource known_from;
  std::string_view what;    ///< what it is, and for which bus
  std::string_view source;  ///< of the figures
};

/// All of them, in the order of the documents. Those that were fitted were measured on one bus;
/// waits in clocks belong to that bus.
gsl::span<const HostProfile> host_profiles();

/// The host of that name on this bus; nullopt if there is none.
std::optional<HostTiming> find_host_timing(std::string_view name, const BusSpeed& bus = {});
/// Its bridge as a target only.
std::optional<TargetTiming> find_target_timing(std::string_view name, const BusSpeed& bus = {});
/// The names, in the order above.
gsl::span<const std::string_view> host_timing_names();

/// A host from text: "NAME", "NAME,key=value,...", or "key=value,..." on top of "typical". Keys:
/// host_keys(). Values: clocks and bytes as digits, times with ns or us, shares in percent. Throws
/// std::invalid_argument naming what is wrong, with what would be right.
HostTiming parse_host(std::string_view text, const BusSpeed& bus);

/// What can be said of a host.
struct HostKey {
  /// Before the =.
  std::string_view name;
  std::string_view what;  ///< with its unit
};
/// All keys.
gsl::span<const HostKey> host_keys();

}  // namespace e1000tlm::pci
