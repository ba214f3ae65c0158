#pragma once
/// JSON-RPC 2.0 as the control socket speaks it, one message a line. No SystemC.

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace e1000tlm::plugs {

/// Error codes of JSON-RPC 2.0, 5.1; kFailed is the implementation's own.
enum class ControlCode : int {
  kParse = -32700,    ///< no JSON
  kInvalid = -32600,  ///< no request
  kMethod = -32601,   ///< unknown method
  kParams = -32602,   ///< parameters that the method does not take
  kFailed = -32000,   ///< the method could not be carried out
};

/// A request that cannot be answered with a result.
class ControlError : public std::runtime_error {
 public:
  /// `what`: what is wrong, and the remedy.
  ControlError(ControlCode reason, const std::string& what)
      : std::runtime_error(what), code(reason) {}
  /// Of which kind.
  ControlCode code;
};

/// One request. Parameters are an object of plain values, kept as text: strings as they are,
/// numbers as written, true and false as on and off.
struct ControlRequest {
  /// The identifier as JSON; empty: a notification, which gets no answer.
  std::string id;
  /// What to do.
  std::string method;
  /// With what.
  std::map<std::string, std::string> params;

  /// Takes a parameter that must be there. Throws ControlError naming it.
  const std::string& require(const std::string& key) const;
  /// nullopt: it is not there.
  std::optional<std::string> find(const std::string& key) const;
};

/// What a line turned out to be.
struct ControlLine {
  /// A request, if it is one.
  std::optional<ControlRequest> request;
  /// The answer to a line that is none; empty if it is one.
  std::string error;
};

/// Longest line that clients may send, without its end.
inline constexpr std::size_t kMostControlLine = 16 * 1024;

/// Reads a line. Never throws, whatever it holds.
ControlLine parse_control_line(std::string_view line);
/// The answer with this result, which is JSON in one line; ends with a newline. Empty for a
/// notification.
std::string control_result(const std::string& id, const std::string& result);
/// The answer that says what is wrong; ditto.
std::string control_error(const std::string& id, const ControlError& error);

}  // namespace e1000tlm::plugs
