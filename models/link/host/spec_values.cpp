#include "e1000tlm/link/host/spec_values.h"

#include <utility>

namespace e1000tlm::link {

SocketAddress inet_address(const PartnerSpec& spec, const std::string& host,
                           const std::string& port) {
  SocketAddress address;
  address.host = spec.require(host);
  spec.require(port);
  address.port = std::to_string(spec.number(port, 0, 1, 65535));
  return address;
}

SocketAddress host_and_port(const PartnerSpec& spec, const std::string& key,
                            const std::string& any) {
  const std::string text = spec.require(key);
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) spec.reject(key, "is not of the form HOST:PORT");
  PartnerSpec port;
  port.kind = spec.kind;
  port.options[key] = text.substr(colon + 1);
  SocketAddress address;
  address.port = std::to_string(port.number(key, 0, 1, 65535));
  address.host = text.substr(0, colon);
  if (address.host.size() >= 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host.empty()) address.host = any;
  return address;
}

std::string text_of(const PartnerSpec& spec) {
  std::string text = spec.kind;
  char separator = ':';
  for (const auto& [key, value] : spec.options) {
    text.append(1, std::exchange(separator, ',')).append(key).append(1, '=').append(value);
  }
  return text;
}

}  // namespace e1000tlm::link
