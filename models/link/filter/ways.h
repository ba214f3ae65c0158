#pragma once
/// Directions on a link. No SystemC.

#include <array>
#include <cstddef>
#include <cstdint>

namespace e1000tlm::link {

/// Which way a frame goes, as seen from the adapter.
enum class Way : std::uint8_t {
  kIn,   ///< to the adapter
  kOut,  ///< from it
};
/// One thing for each Way.
template <class T>
using ForWays = std::array<T, 2>;
/// Index into ForWays.
constexpr std::size_t index_of(Way way) { return static_cast<std::size_t>(way); }
/// Both, for loops.
inline constexpr ForWays<Way> kBothWays{Way::kIn, Way::kOut};

/// Which ways a filter works on; the others pass untouched.
struct Ways {
  /// To the adapter.
  bool in = true;
  /// From it.
  bool out = true;
  /// This one is among them.
  bool has(Way way) const { return way == Way::kIn ? in : out; }
};

}  // namespace e1000tlm::link
