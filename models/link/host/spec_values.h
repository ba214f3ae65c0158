#pragma once
/// Reading the options of host-driven link partners.

#include <stdexcept>
#include <string>

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// Calls `use`; what it throws then names kind, key and value as well.
template <class Use>
auto naming(const PartnerSpec& spec, const std::string& key, const Use& use) {
  try {
    return use();
  } catch (const std::invalid_argument& error) {
    spec.reject(key, error.what());
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("link partner " + spec.kind + ": option " + key + "=" +
                             spec.find(key).value_or("") + ": " + error.what());
  }
}

/// Host and port from two options, both needed. Throws std::invalid_argument.
SocketAddress inet_address(const PartnerSpec& spec, const std::string& host,
                           const std::string& port);
/// "HOST:PORT", "[::1]:PORT", ":PORT" from one option; `any`: what an empty host stands for. Throws
/// std::invalid_argument.
SocketAddress host_and_port(const PartnerSpec& spec, const std::string& key,
                            const std::string& any);

/// "tap:ifname=tap0", as the user wrote it or nearly so.
std::string text_of(const PartnerSpec& spec);

}  // namespace e1000tlm::link
