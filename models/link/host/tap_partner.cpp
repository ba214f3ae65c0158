#include "e1000tlm/link/host/tap_partner.h"

#include <stdexcept>

namespace e1000tlm::link {
namespace {

constexpr const char* kDefaultBridge = "br0";
constexpr const char* kDefaultHelper = "/usr/lib/qemu/qemu-bridge-helper";
constexpr std::uint64_t kMostQueues = 256;  // the kernel's MAX_TAP_QUEUES

/// "no", as with QEMU, is none.
std::string script(const PartnerSpec& spec, const char* key) {
  const std::string path = spec.find(key).value_or("no");
  return path == "no" ? std::string() : path;
}

/// Which of the ways to an interface is asked for; the keys of the others do not go with it.
void check_source(const PartnerSpec& spec, const char* source,
                  std::initializer_list<const char*> foreign) {
  for (const char* key : foreign) {
    if (spec.find(key)) spec.reject(key, std::string("does not go with ") + source + "=");
  }
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

TapConfig tap_config(const PartnerSpec& spec) {
  TapConfig config;
  const bool on_bridge = spec.kind == "bridge" || spec.find("br") || spec.find("helper");
  if (spec.find("fd")) {
    check_source(spec, "fd", {"fds", "ifname", "script", "downscript", "br", "helper", "queues"});
    config.fds = {spec.require("fd")};
  } else if (spec.find("fds")) {
    check_source(spec, "fds", {"ifname", "script", "downscript", "br", "helper", "queues"});
    config.fds = split(spec.require("fds"), ':');
  } else if (on_bridge) {
    check_source(spec, spec.find("helper") ? "helper" : "br",
                 {"ifname", "script", "downscript", "queues"});
    config.bridge = spec.find("br").value_or(kDefaultBridge);
    config.helper = spec.find("helper").value_or(kDefaultHelper);
    if (config.bridge.empty()) spec.reject("br", "is no name of a bridge");
    if (config.helper.empty()) spec.reject("helper", "is no program");
  } else {
    if (!spec.find("ifname")) {
      throw std::invalid_argument("link partner " + spec.kind +
                                  ": needs the option ifname=..., fd=..., fds=... or br=...");
    }
    config.ifname = spec.require("ifname");
  }
  config.script = script(spec, "script");
  config.downscript = script(spec, "downscript");
  config.queues = static_cast<unsigned>(spec.number("queues", 1, 1, kMostQueues));
  config.vnet_hdr = spec.choice("vnet_hdr", {"off", "on"}, 0) == 1;
  if (spec.find("sndbuf")) config.sndbuf = spec.number("sndbuf", 0, 0, 0xFFFF'FFFF);
  return config;
}

TapPartner::TapPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_tap(tap_config(spec)), context.hold_flush) {
}

namespace {

std::unique_ptr<LinkPartner> make_tap(const PartnerContext& context, CableEndIf& end,
                                      const PartnerSpec& spec) {
  return std::make_unique<TapPartner>(context, end, spec);
}

}  // namespace

PartnerRegistry::Kind tap_kind() {
  return {"frames on a tap interface of the host: ifname=NAME, fd=N or br=BRIDGE",
          {"ifname", "fd", "fds", "script", "downscript", "br", "helper", "sndbuf", "vnet_hdr",
           "queues"},
          make_tap};
}

PartnerRegistry::Kind bridge_kind() {
  return {"a new tap interface on a bridge of the host, without root: br=BRIDGE",
          {"br", "helper"},
          make_tap};
}

}  // namespace e1000tlm::link
