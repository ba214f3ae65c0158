#include "e1000tlm/link/host/vhost_user_partner.h"

#include <array>
#include <memory>
#include <utility>

#include "e1000tlm/link/host/spec_values.h"
#include "e1000tlm/link/host/stream_partner.h"
#include "e1000tlm/link/host/vhost_plane_partner.h"

namespace e1000tlm::link {
namespace {

constexpr std::uint64_t kMostPairs = 64, kLeastSize = 8, kMostSize = 1024;
// IPv4's smallest (RFC 791) to what a frame of the model carries.
constexpr std::uint64_t kLeastMtu = 68, kMostMtu = 16'384;

bool is_on(const PartnerSpec& spec, const char* key, bool otherwise) {
  return spec.choice(key, {"off", "on"}, otherwise ? 1 : 0) == 1;
}

ChardevConfig chardev_config(const PartnerSpec& spec) {
  ChardevConfig config;
  if (spec.find("fd")) {
    for (const char* key : {"path", "reconnect", "reconnect-ms"}) {
      if (spec.find(key)) spec.reject(key, "does not go with fd=");
    }
    config.descriptor = spec.require("fd");
  } else {
    config.address.path = spec.require("path");
  }
  config.server = is_on(spec, "server", false);
  config.reconnect = reconnect_interval(spec);
  for (const char* key : {"reconnect", "reconnect-ms"}) {
    if (config.server && spec.find(key)) spec.reject(key, "does not go with server=on");
  }
  return config;
}

/// Of a partner with rings of its own.
constexpr std::array<const char*, 6> kOwnRings{"queues",    "queue_size", "mrg_rxbuf",
                                               "event_idx", "offload",    "mtu"};

std::unique_ptr<LinkPartner> hand_over_rings(const PartnerContext& context, CableEndIf& end,
                                             const PartnerSpec& spec) {
  if (context.seat == nullptr) {
    spec.reject(
        "guest_rings",
        "needs a virtio-net adapter right at this link, without filters, in memory of the board");
  }
  for (const char* key : kOwnRings) {
    if (spec.find(key)) spec.reject(key, "is the device's own affair with guest_rings=on");
  }
  VhostConnection::Settings settings;
  settings.chardev = chardev_config(spec);
  settings.log = spec.find("log").value_or("");
  if (spec.find("wait") && !settings.chardev.server) spec.reject("wait", "goes with server=on");
  const bool wait = is_on(spec, "wait", true);
  return naming(spec, spec.find("fd") ? "fd" : "path", [&] {
    return std::make_unique<VhostPlanePartner>(context, end, spec, settings, wait);
  });
}

std::unique_ptr<HostDevice> open_vhost_user(const PartnerContext& context,
                                            const PartnerSpec& spec) {
  VhostUserConfig config = vhost_user_config(spec);
  config.stop = context.stop;
  return naming(spec, spec.find("fd") ? "fd" : "path",
                [&] { return std::make_unique<VhostUserDevice>(std::move(config)); });
}

}  // namespace

VhostUserConfig vhost_user_config(const PartnerSpec& spec) {
  VhostUserConfig config;
  config.chardev = chardev_config(spec);
  config.wait = is_on(spec, "wait", false);
  if (config.wait && !config.chardev.server) spec.reject("wait", "goes with server=on");
  config.queues.pairs = static_cast<unsigned>(spec.number("queues", 1, 1, kMostPairs));
  const std::uint64_t size = spec.number("queue_size", config.queues.size, kLeastSize, kMostSize);
  if ((size & (size - 1)) != 0) spec.reject("queue_size", "is no power of two");
  config.queues.size = static_cast<std::uint16_t>(size);
  config.mergeable = is_on(spec, "mrg_rxbuf", true);
  config.event_index = is_on(spec, "event_idx", true);
  config.offload = is_on(spec, "offload", false);
  config.queues.long_packets = config.offload;
  if (spec.find("mtu")) {
    config.mtu = static_cast<std::uint16_t>(spec.number("mtu", 0, kLeastMtu, kMostMtu));
  }
  config.log = spec.find("log").value_or("");
  return config;
}

VhostUserPartner::VhostUserPartner(const PartnerContext& context, CableEndIf& end,
                                   const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_vhost_user(context, spec),
                  context.hold_flush) {}

PartnerRegistry::Kind vhost_user_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    if (is_on(spec, "guest_rings", context.seat != nullptr)) {
      return hand_over_rings(context, end, spec);
    }
    return std::make_unique<VhostUserPartner>(context, end, spec);
  };
  return {
      "a port of a vhost-user back-end such as Open vSwitch or testpmd: path=PATH; server to "
      "listen, "
      "otherwise reconnect=SECONDS to try again; queues=N",
      {"path", "fd", "server", "wait", "reconnect", "reconnect-ms", "queues", "queue_size",
       "mrg_rxbuf", "event_idx", "offload", "mtu", "log", "guest_rings"},
      make};
}

}  // namespace e1000tlm::link
