#include "e1000tlm/link/host/user_partner.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {
namespace {

/// Calls a parser of one value; what it throws names kind, key and value.
template <class Use>
void with_value(const PartnerSpec& spec, const std::string& key, const Use& use) {
  for (const std::string& value : spec.all(key)) {
    try {
      use(value);
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("link partner " + spec.kind + ": option " + key + "=" + value +
                                  ": " + error.what());
    }
  }
}

bool is_on(const PartnerSpec& spec, const std::string& key, bool fallback) {
  return spec.choice(key, {"off", "on"}, fallback ? 1 : 0) == 1;
}

void set_ipv6(const PartnerSpec& spec, UserConfig& config) {
  constexpr std::uint64_t kLongestPrefix = 126;
  in6_addr prefix = config.ipv6_prefix;
  std::uint64_t length = config.ipv6_prefix_length;
  with_value(spec, "ipv6-prefix", [&](const std::string& v) { prefix = parse_ipv6(v); });
  length = spec.number("ipv6-prefixlen", length, 0, kLongestPrefix);
  with_value(spec, "ipv6-net", [&](const std::string& value) {
    const std::size_t slash = value.find('/');
    prefix = parse_ipv6(value.substr(0, slash));
    if (slash == std::string::npos) return;
    PartnerSpec tail;
    tail.kind = spec.kind;
    tail.options["ipv6-net"] = value.substr(slash + 1);
    length = tail.number("ipv6-net", length, 0, kLongestPrefix);
  });
  config.set_ipv6_prefix(prefix, static_cast<std::uint8_t>(length));
  with_value(spec, "ipv6-host", [&](const std::string& v) { config.ipv6_host = parse_ipv6(v); });
  with_value(spec, "ipv6-dns", [&](const std::string& v) { config.ipv6_dns = parse_ipv6(v); });
}

void set_names(const PartnerSpec& spec, UserConfig& config) {
  config.hostname = spec.find("hostname").value_or("");
  config.domainname = spec.find("domainname").value_or("");
  config.dnssearch = spec.all("dnssearch");
  config.tftp = spec.find("tftp").value_or("");
  config.tftp_server_name = spec.find("tftp-server-name").value_or("");
  config.bootfile = spec.find("bootfile").value_or("");
  // Fields of a DHCP answer.
  const auto at_most = [&](const char* key, std::size_t most) {
    if (spec.find(key).value_or("").size() > most) {
      spec.reject(key,
                  "is longer than the " + std::to_string(most) + " characters of a DHCP answer");
    }
  };
  at_most("hostname", 32);
  at_most("domainname", 255);
  at_most("tftp-server-name", 255);
  at_most("bootfile", 127);
  struct stat status {};
  if (config.tftp.empty()) return;
  if (::stat(config.tftp.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    spec.reject("tftp", "is no directory that can be read");
  }
}

}  // namespace

UserConfig user_config(const PartnerSpec& spec) {
  UserConfig config;
  config.ipv4 = is_on(spec, "ipv4", true);
  config.ipv6 = is_on(spec, "ipv6", true);
  config.restricted = is_on(spec, "restrict", false);
  with_value(spec, "net", [&](const std::string& v) { config.set_network(parse_ipv4_network(v)); });
  with_value(spec, "host", [&](const std::string& v) { config.host = parse_ipv4(v); });
  with_value(spec, "dhcpstart", [&](const std::string& v) { config.dhcp_start = parse_ipv4(v); });
  with_value(spec, "dns", [&](const std::string& v) { config.dns = parse_ipv4(v); });
  set_ipv6(spec, config);
  set_names(spec, config);
  with_value(spec, "hostfwd",
             [&](const std::string& v) { config.host_forwards.push_back(parse_host_forward(v)); });
  with_value(spec, "guestfwd", [&](const std::string& v) {
    config.guest_forwards.push_back(parse_guest_forward(v));
  });
  try {
    config.check();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument("link partner " + spec.kind + ": " + error.what());
  }
  return config;
}

UserPartner::UserPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec)
    : LinkPartner(context.name.c_str(), end, spec),
      hold_("hold", pause_, statistics_, {context.hold_flush, HoldQueue::kLiveCapacity}),
      work_("wake"),
      stack_(user_config(spec),
             {[this](ConstBytes frame) { offer(frame); }, [] { return sc_now(); }}, context.seed) {
  SC_HAS_PROCESS(UserPartner);
  SC_METHOD(work);
  sensitive << work_;
  end_.set_sink(this);
}

UserPartner::~UserPartner() { end_.set_sink(nullptr); }

void UserPartner::use_polling() {
  polled_ = true;
  hold_.open_at_once();
}

std::size_t UserPartner::poll() {
  offered_ = 0;
  work();
  return offered_;
}

void UserPartner::receive(Arrival arrival) {
  const Frame& frame = *arrival.frame;
  count_from_nic(frame);
  if (pause_.take(arrival)) return;
  if (frame.coding_error || !frame.fcs_ok()) {
    ++statistics_.drops["bad_fcs"];
    return;
  }
  arrivals_.push_back(std::move(arrival));
  plan();
}

bool UserPartner::take_back(Time last_bit, std::size_t size) {
  if (!pause_.take_back(last_bit)) {
    if (arrivals_.empty() || arrivals_.back().last_bit != last_bit) return false;
    arrivals_.pop_back();
  }
  uncount_from_nic(size);
  return true;
}

/// At the initialisation, and whenever something is due.
void UserPartner::work() {
  while (!arrivals_.empty() && arrivals_.front().last_bit <= sc_now()) {
    stack_.input(arrivals_.front().frame->bytes());
    arrivals_.pop_front();
  }
  const std::size_t backlog = hold_.held() + pause_.waiting() + end_.in_flight();
  stack_.advance(backlog < kHighWater);
  plan();
}

void UserPartner::plan() {
  Time next = kTimeNever;
  if (!arrivals_.empty()) next = arrivals_.front().last_bit;
  if (const auto due = stack_.due()) next = std::min(next, *due);
  if (live()) next = std::min(next, sc_now() + kSocketInterval);
  if (next == kTimeNever) return;
  // An earlier notification holds: at worst there is nothing to do then.
  work_.notify(to_sc(std::max(next, sc_now()) - sc_now()));
}

void UserPartner::offer(ConstBytes content) {
  if (content.size() > kMaxFrameBytes) {
    ++statistics_.drops["too_long"];
    return;
  }
  FramePtr frame = FramePool::shared().make(std::max(content.size(), kMinFrameBytes));
  std::uint8_t* const padding = std::copy(content.begin(), content.end(), frame->data());
  std::fill(padding, frame->data() + frame->size(), std::uint8_t{0});
  ++offered_;
  hold_.offer(std::move(frame), sc_now());
}

PartnerRegistry::Kind user_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<UserPartner>(context, end, spec);
  };
  return {"a network in user space behind a gateway, QEMU's -netdev user: no key needed, no root",
          {"ipv4",
           "net",
           "host",
           "dhcpstart",
           "dns",
           "ipv6",
           "ipv6-net",
           "ipv6-prefix",
           "ipv6-prefixlen",
           "ipv6-host",
           "ipv6-dns",
           "hostname",
           "domainname",
           "dnssearch",
           "restrict",
           "tftp",
           "tftp-server-name",
           "bootfile",
           "hostfwd",
           "guestfwd"},
          make};
}

}  // namespace e1000tlm::link
