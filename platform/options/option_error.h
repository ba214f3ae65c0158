#pragma once
/// How an option says that its value is wrong. No SystemC.

#include <cstdint>
#include <stdexcept>
#include <string>

namespace e1000tlm::platform {

/// Throws std::invalid_argument: "--option: why".
[[noreturn]] void fail(const std::string& option, const std::string& why);

/// Runs a parser of one option's value and says which option it was.
template <class Parse>
auto in_option(const std::string& option, Parse parse) {
  try {
    return parse();
  } catch (const std::exception& error) {
    fail(option, error.what());
  }
}

/// A whole number of 64 bits at most. Throws as fail().
std::uint64_t parse_number(const std::string& option, const std::string& text);

}  // namespace e1000tlm::platform
