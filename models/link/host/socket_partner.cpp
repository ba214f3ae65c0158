#include "e1000tlm/link/host/socket_partner.h"

#include <array>
#include <stdexcept>
#include <string>

#include <sys/socket.h>

#include "e1000tlm/link/host/datagram_device.h"
#include "e1000tlm/link/host/spec_values.h"
#include "e1000tlm/link/host/stream_partner.h"

namespace e1000tlm::link {
namespace {

constexpr std::array<const char*, 5> kForms{"fd", "listen", "connect", "mcast", "udp"};

std::string form_of(const PartnerSpec& spec) {
  std::string form;
  for (const char* key : kForms) {
    if (!spec.find(key)) continue;
    if (!form.empty()) spec.reject(key, "does not go with " + form + "=");
    form = key;
  }
  if (form.empty()) {
    throw std::invalid_argument("link partner " + spec.kind +
                                ": needs one of the options fd=, listen=, connect=, mcast=, udp=");
  }
  const bool datagrams = form == "mcast" || form == "udp";
  if (!datagrams && spec.find("localaddr"))
    spec.reject("localaddr", "does not go with " + form + "=");
  for (const char* key : {"reconnect", "reconnect-ms"}) {
    if (form != "connect" && spec.find(key)) spec.reject(key, "only goes with connect=");
  }
  return form;
}

/// What kind of socket stands behind the number, without touching it.
bool is_datagram_socket(const PartnerSpec& spec) {
  const auto number = static_cast<int>(spec.number("fd", 0, 0, 1'000'000));
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    spec.reject("fd", "is no socket that is open (whoever starts the program must pass it on)");
  }
  return type == SOCK_DGRAM;
}

}  // namespace

std::unique_ptr<HostDevice> open_socket(const PartnerSpec& spec) {
  const std::string form = form_of(spec);
  return naming(spec, form, [&]() -> std::unique_ptr<HostDevice> {
    if (form == "mcast") {
      return make_datagram_device(
          multicast_datagrams(host_and_port(spec, form, ""), spec.find("localaddr").value_or("")));
    }
    if (form == "udp") {
      return make_datagram_device(udp_datagrams(host_and_port(spec, "localaddr", "0.0.0.0"),
                                                host_and_port(spec, form, "127.0.0.1")));
    }
    StreamConfig config;
    if (form == "fd") {
      if (is_datagram_socket(spec)) {
        return make_datagram_device(descriptor_datagrams(spec.require(form), nullptr));
      }
      config.descriptor = spec.require(form);
      return open_stream(config);
    }
    config.server = form == "listen";
    config.address = host_and_port(spec, form, config.server ? "0.0.0.0" : "127.0.0.1");
    if (!config.server) config.reconnect = reconnect_interval(spec);
    return open_stream(config);
  });
}

SocketPartner::SocketPartner(const PartnerContext& context, CableEndIf& end,
                             const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_socket(spec), context.hold_flush) {}

PartnerRegistry::Kind socket_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<SocketPartner>(context, end, spec);
  };
  return {"streams and datagrams as QEMU's -netdev socket: listen=, connect=, mcast=, udp= or fd=",
          {"fd", "listen", "connect", "mcast", "udp", "localaddr", "reconnect", "reconnect-ms"},
          make};
}

}  // namespace e1000tlm::link
