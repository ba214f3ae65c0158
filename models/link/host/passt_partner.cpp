#include "e1000tlm/link/host/passt_partner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include <sys/socket.h>
#include <sys/wait.h>

#include "e1000tlm/link/host/flow.h"
#include "e1000tlm/link/host/host_process.h"
#include "e1000tlm/link/host/spec_values.h"
#include "e1000tlm/link/host/stream_partner.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;

struct Key {
  const char* name;
  const char* option;
};
// Keys whose values passt takes as they are.
constexpr std::array<Key, 14> kValues{{{"mtu", "--mtu"},
                                       {"address", "--address"},
                                       {"netmask", "--netmask"},
                                       {"mac", "--mac-addr"},
                                       {"gateway", "--gateway"},
                                       {"interface", "--interface"},
                                       {"outbound", "--outbound"},
                                       {"outbound-if4", "--outbound-if4"},
                                       {"outbound-if6", "--outbound-if6"},
                                       {"dns", "--dns"},
                                       {"dns-forward", "--dns-forward"},
                                       {"search", "--search"},
                                       {"tcp-ports", "--tcp-ports"},
                                       {"udp-ports", "--udp-ports"}}};
// Keys that are on unless they are off.
constexpr std::array<Key, 9> kSwitches{{{"ipv4", "--ipv6-only"},
                                        {"ipv6", "--ipv4-only"},
                                        {"tcp", "--no-tcp"},
                                        {"udp", "--no-udp"},
                                        {"icmp", "--no-icmp"},
                                        {"dhcp", "--no-dhcp"},
                                        {"ndp", "--no-ndp"},
                                        {"dhcpv6", "--no-dhcpv6"},
                                        {"ra", "--no-ra"}}};
// How long passt may take to end when its socket is closed, until it is told to.
constexpr milliseconds kPatience{2000}, kLook{10};

/// A stream to passt, which is a child of ours or runs already. Frames go without their padding, as
/// those of virtual machines do.
class PasstDevice : public HostDevice {
 public:
  explicit PasstDevice(std::unique_ptr<HostDevice> stream) : stream_(std::move(stream)) {}
  /// Starts it, at the other end of a socket pair.
  explicit PasstDevice(const PartnerSpec& spec) {
    std::vector<std::string> command = passt_command(spec);
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw_host_error("cannot make a socket pair for passt", errno);
    }
    UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    command.insert(command.end(), {"--fd", std::to_string(theirs.get())});
    process_ = start_program(command, theirs.get());
    StreamConfig config;
    config.descriptor = std::to_string(ours.release());
    stream_ = open_stream(config);
  }
  ~PasstDevice() override { PasstDevice::shut_down(); }

  int fd() const override { return stream_->fd(); }
  bool poll_tells_room() const override { return stream_->poll_tells_room(); }
  std::string why_closed() const override {
    return "passt has ended" + std::string(process_ > 0
                                               ? " (its messages say why)"
                                               : " (reconnect=SECONDS looks for it again)");
  }
  ReadResult read() override { return stream_->read(); }
  WriteResult write(ConstBytes frame, milliseconds wait) override {
    return stream_->write(without_padding(frame), wait);
  }

  /// It ends by itself when its only client goes.
  std::string shut_down() override {
    stream_.reset();
    if (process_ <= 0) return {};
    const pid_t process = std::exchange(process_, 0);
    for (milliseconds waited{0}; waited < kPatience; waited += kLook) {
      if (::waitpid(process, nullptr, WNOHANG) != 0) return {};
      std::this_thread::sleep_for(kLook);
    }
    ::kill(process, SIGTERM);
    wait_for_program(process);
    return {};
  }

 private:
  pid_t process_ = 0;
  std::unique_ptr<HostDevice> stream_;
};

}  // namespace

std::vector<std::string> passt_command(const PartnerSpec& spec) {
  for (const char* key : {"reconnect", "reconnect-ms"}) {
    if (spec.find(key)) spec.reject(key, "only goes with socket=");
  }
  std::vector<std::string> command{spec.find("path").value_or("passt"), "--foreground"};
  if (command.front().empty()) spec.reject("path", "is no program");
  if (spec.choice("quiet", {"off", "on"}, 1) == 1) command.emplace_back("--quiet");
  for (const Key& key : kSwitches) {
    if (spec.choice(key.name, {"off", "on"}, 1) == 0) command.emplace_back(key.option);
  }
  for (const Key& key : kValues) {
    const auto value = spec.find(key.name);
    if (value) command.insert(command.end(), {key.option, *value});
  }
  for (const std::string& option : spec.all("param")) command.push_back(option);
  return command;
}

std::unique_ptr<HostDevice> open_passt(const PartnerSpec& spec) {
  if (!spec.find("socket")) return std::make_unique<PasstDevice>(spec);
  for (const auto& option : spec.options) {
    const std::string& key = option.first;
    if (key == "socket" || key == "reconnect" || key == "reconnect-ms") continue;
    const auto own = passt_kind().options;
    const bool ours = std::find(own.begin(), own.end(), key) != own.end();
    if (ours) spec.reject(key, "is for a passt that is started, not with socket=");
  }
  StreamConfig config;
  config.address.path = spec.require("socket");
  config.reconnect = reconnect_interval(spec);
  return naming(spec, "socket", [&]() -> std::unique_ptr<HostDevice> {
    return std::make_unique<PasstDevice>(open_stream(config));
  });
}

PasstPartner::PasstPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_passt(spec), context.hold_flush) {}

PartnerRegistry::Kind passt_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<PasstPartner>(context, end, spec);
  };
  std::vector<std::string> options{"socket", "reconnect", "reconnect-ms", "path", "quiet", "param"};
  for (const Key& key : kSwitches) options.emplace_back(key.name);
  for (const Key& key : kValues) options.emplace_back(key.name);
  return {"the host's network through passt, without root: no key needed, or socket=PATH", options,
          make};
}

}  // namespace e1000tlm::link
