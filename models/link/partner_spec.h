#pragma once
/// "kind:key=value,...": which link partner, and what it is like. No SystemC.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "e1000tlm/link/wire.h"

namespace e1000tlm::link {

/// "kind:key=value,key=value" taken apart. Commas inside a value are written twice.
/// "server" alone is short for server=on, as in QEMU.
struct PartnerSpec {
  /// What stands before the colon.
  std::string kind;
  /// Keys and values behind it.
  std::map<std::string, std::string> options;

  /// Throws std::invalid_argument naming the text and what is wrong with it.
  static PartnerSpec parse(std::string_view text);

  /// More values of the options that may be given several times: hostfwd, guestfwd, dnssearch,
  /// param.
  std::map<std::string, std::vector<std::string>> repeated{};
  /// All values of an option, in their order.
  std::vector<std::string> all(const std::string& key) const;

  /// Value of an option; nullopt if it was not given.
  std::optional<std::string> find(const std::string& key) const;
  /// Value of an option that must be there; throws std::invalid_argument naming kind and key.
  std::string require(const std::string& key) const;
  /// A decimal number within [min, max]; throws std::invalid_argument otherwise.
  std::uint64_t number(const std::string& key, std::uint64_t default_value, std::uint64_t min,
                       std::uint64_t max) const;
  /// Position of the option's value in the list of allowed words; throws std::invalid_argument
  /// listing them if it is none of them.
  std::size_t choice(const std::string& key, const std::vector<std::string>& words,
                     std::size_t default_index) const;
  /// Throws std::invalid_argument: "kind: option key=value: reason".
  [[noreturn]] void reject(const std::string& key, const std::string& reason) const;
};

/// What a partner advertises, from the options common to all kinds:
///   speed=10|100|1000         this speed and no other (default: all three)
///   aneg=on|off               off: no negotiation, idle at the given speed (10 or 100; 1000BASE-T
///                             always negotiates, IEEE 802.3 28D.5)
///   pause=none|rx|tx|both     PAUSE ability as seen from the partner (default: none). All kinds
///   obey
///                             PAUSE when it has been agreed on; none sends it
/// Throws std::invalid_argument.
Abilities abilities_from(const PartnerSpec& spec);

/// For messages: "a, b, c".
std::string joined(const std::vector<std::string>& words);

}  // namespace e1000tlm::link
