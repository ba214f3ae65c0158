#include "e1000tlm/link/host/dgram_partner.h"

#include <stdexcept>

#include "e1000tlm/link/host/spec_values.h"

namespace e1000tlm::link {
namespace {

const std::vector<std::string> kTypes{"unix", "inet", "fd"};
constexpr std::size_t kUnix = 0, kInet = 1, kFd = 2;

DatagramSockets from_descriptor(const PartnerSpec& spec) {
  const std::string number = spec.require("local.str");
  return naming(spec, "local.str", [&] {
    if (!spec.find("remote.host")) return descriptor_datagrams(number, nullptr);
    const SocketAddress remote = inet_address(spec, "remote.host", "remote.port");
    return descriptor_datagrams(number, &remote);
  });
}

DatagramSockets from_spec(const PartnerSpec& spec) {
  if (spec.find("local") || spec.find("remote")) {
    for (const auto& option : spec.options) {
      if (option.first.find('.') == std::string::npos) continue;
      spec.reject(option.first, "does not go with local=PATH and remote=PATH");
    }
    return unix_datagrams(spec.require("local"), spec.require("remote"));
  }
  const std::size_t remote = spec.choice("remote.type", kTypes, kTypes.size());
  const std::size_t local = spec.choice("local.type", kTypes, remote == kInet ? kInet : kUnix);
  if (local == kFd) return from_descriptor(spec);
  if (remote == kFd) spec.reject("remote.type", "is none of unix, inet");
  if (remote == kUnix)
    return unix_datagrams(spec.require("local.path"), spec.require("remote.path"));
  if (remote == kTypes.size()) {
    throw std::invalid_argument("link partner " + spec.kind +
                                ": needs local=PATH,remote=PATH, or remote.type=inet and the keys "
                                "that go with it, or local.type=fd,local.str=N");
  }
  if (local != kInet) spec.reject("local.type", "does not go with remote.type=inet");
  const SocketAddress to = inet_address(spec, "remote.host", "remote.port");
  if (is_multicast(to.host)) {
    return naming(spec, "remote.host",
                  [&] { return multicast_datagrams(to, spec.find("local.host").value_or("")); });
  }
  return udp_datagrams(inet_address(spec, "local.host", "local.port"), to);
}

}  // namespace

std::unique_ptr<HostDevice> open_dgram(const PartnerSpec& spec) {
  return make_datagram_device(from_spec(spec));
}

DgramPartner::DgramPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_dgram(spec), context.hold_flush) {}

PartnerRegistry::Kind dgram_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<DgramPartner>(context, end, spec);
  };
  return {"frames as datagrams: local=PATH,remote=PATH, or UDP as QEMU's -netdev dgram",
          {"local", "remote", "local.type", "local.path", "local.host", "local.port", "local.str",
           "remote.type", "remote.path", "remote.host", "remote.port"},
          make};
}

}  // namespace e1000tlm::link
