#include "e1000tlm/link/host/user_stack.h"

#include <algorithm>
#include <limits>
#include <list>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>
#include <slirp/libslirp.h>

namespace e1000tlm::link {
namespace {

// libslirp asks to be looked after at least this often, even if there is nothing to do.
constexpr std::uint32_t kIdleMilliseconds = 1000;
// Between unasked-for router advertisements (RFC 4861, 6.2.1: its default MinRtrAdvInterval and
// MaxRtrAdvInterval). libslirp draws the moment by chance, which would differ from run to run.
constexpr std::int64_t kLeastAdvertisementMs = 198'000, kMostAdvertisementMs = 600'000;
constexpr std::uint32_t kConfigVersion = 4;

struct PollName {
  int slirp;
  short host;
};
constexpr PollName kPollNames[] = {{SLIRP_POLL_IN, POLLIN},
                                   {SLIRP_POLL_OUT, POLLOUT},
                                   {SLIRP_POLL_PRI, POLLPRI},
                                   {SLIRP_POLL_ERR, POLLERR},
                                   {SLIRP_POLL_HUP, POLLHUP}};

const char* or_none(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

class UserStack::Impl {
 public:
  Impl(const UserConfig& config, Host host, std::uint64_t seed)
      : host_(std::move(host)), random_(seed) {
    callbacks_.send_packet = [](const void* frame, size_t size, void* self) -> ssize_t {
      static_cast<Impl*>(self)->host_.send({static_cast<const std::uint8_t*>(frame), size});
      return static_cast<ssize_t>(size);
    };
    callbacks_.guest_error = [](const char*, void*) {};
    callbacks_.clock_get_ns = [](void* self) {
      return static_cast<Impl*>(self)->now().count() / 1000;
    };
    callbacks_.timer_new_opaque = [](SlirpTimerId id, void* data, void* self) -> void* {
      return &static_cast<Impl*>(self)->timers_.emplace_back(Timer{id, data, kOff});
    };
    callbacks_.timer_free = [](void* timer, void* self) {
      static_cast<Impl*>(self)->timers_.remove_if([&](const Timer& t) { return &t == timer; });
    };
    callbacks_.timer_mod = [](void* timer, std::int64_t, void* self) {
      static_cast<Timer*>(timer)->expires = static_cast<Impl*>(self)->next_advertisement();
    };
    callbacks_.register_poll_fd = callbacks_.unregister_poll_fd = [](int, void*) {};
    callbacks_.notify = [](void*) {};
    start(config);
  }
  ~Impl() {
    if (slirp_ != nullptr) slirp_cleanup(slirp_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void input(ConstBytes frame) {
    slirp_input(slirp_, frame.data(), static_cast<int>(frame.size()));
  }

  void advance(bool sockets) {
    const std::int64_t now = milliseconds();
    for (Timer& timer : timers_) {
      if (timer.expires > now) continue;
      timer.expires = kOff;
      slirp_handle_timer(slirp_, timer.id, timer.data);
    }
    look();
    if (sockets && !fds_.empty()) ::poll(fds_.data(), fds_.size(), 0);
    slirp_pollfds_poll(
        slirp_, 0,
        [](int index, void* self) {
          return from_host(static_cast<Impl*>(self)->fds_[static_cast<std::size_t>(index)].revents);
        },
        this);
    look();
  }

  std::optional<Time> due() const {
    std::int64_t first = due_;
    for (const Timer& timer : timers_) first = std::min(first, timer.expires);
    if (first == kOff) return std::nullopt;
    return ms(first);
  }
  bool uses_host() const { return !fds_.empty(); }

 private:
  static constexpr std::int64_t kOff = std::numeric_limits<std::int64_t>::max();
  struct Timer {
    SlirpTimerId id;
    void* data;
    std::int64_t expires;  // ms
  };

  Time now() const { return host_.now(); }
  std::int64_t milliseconds() const { return now().count() / kTicksPerMillisecond; }
  static constexpr std::int64_t kTicksPerMillisecond = ms(1).count();

  std::int64_t next_advertisement() {
    constexpr auto kSpan = static_cast<std::uint64_t>(kMostAdvertisementMs - kLeastAdvertisementMs);
    return milliseconds() + kLeastAdvertisementMs + static_cast<std::int64_t>(random_() % kSpan);
  }

  static int from_host(short events) {
    int result = 0;
    for (const PollName& name : kPollNames) {
      if ((events & name.host) != 0) result |= name.slirp;
    }
    return result;
  }
  static short to_host(int events) {
    short result = 0;
    for (const PollName& name : kPollNames) {
      if ((events & name.slirp) != 0) result = static_cast<short>(result | name.host);
    }
    return result;
  }

  /// Which sockets there are, and when libslirp wants to be called by itself.
  void look() {
    fds_.clear();
    std::uint32_t timeout = kIdleMilliseconds;
    slirp_pollfds_fill(
        slirp_, &timeout,
        [](int fd, int events, void* self) {
          auto& fds = static_cast<Impl*>(self)->fds_;
          fds.push_back({fd, to_host(events), 0});
          return static_cast<int>(fds.size()) - 1;
        },
        this);
    // A whole millisecond later at least: its clock has no finer steps.
    due_ = timeout < kIdleMilliseconds ? milliseconds() + std::max<std::int64_t>(timeout, 1) : kOff;
  }

  void start(const UserConfig& config) {
    SlirpConfig slirp{};
    slirp.version = kConfigVersion;
    slirp.restricted = config.restricted ? 1 : 0;
    slirp.in_enabled = config.ipv4;
    slirp.vnetwork = config.net.address;
    slirp.vnetmask = config.net.mask;
    slirp.vhost = config.host;
    slirp.in6_enabled = config.ipv6;
    slirp.vprefix_addr6 = config.ipv6_prefix;
    slirp.vprefix_len = config.ipv6_prefix_length;
    slirp.vhost6 = config.ipv6_host;
    slirp.vhostname = or_none(config.hostname);
    slirp.tftp_server_name = or_none(config.tftp_server_name);
    slirp.tftp_path = or_none(config.tftp);
    slirp.bootfile = or_none(config.bootfile);
    slirp.vdhcp_start = config.dhcp_start;
    slirp.vnameserver = config.dns;
    slirp.vnameserver6 = config.ipv6_dns;
    std::vector<const char*> search;
    for (const std::string& domain : config.dnssearch) search.push_back(domain.c_str());
    search.push_back(nullptr);
    if (search.size() > 1) slirp.vdnssearch = search.data();
    slirp.vdomainname = or_none(config.domainname);
    slirp_ = slirp_new(&slirp, &callbacks_, this);
    if (slirp_ == nullptr) throw std::runtime_error("libslirp refuses this configuration");
    try {
      for (const HostForward& forward : config.host_forwards) add(forward);
      for (const GuestForward& forward : config.guest_forwards) add(forward);
    } catch (...) {
      slirp_cleanup(std::exchange(slirp_, nullptr));
      throw;
    }
    look();
  }

  void add(const HostForward& forward) {
    if (slirp_add_hostfwd(slirp_, forward.udp ? 1 : 0, forward.host, forward.host_port,
                          forward.guest, forward.guest_port) == 0) {
      return;
    }
    throw std::runtime_error("option hostfwd: port " + std::to_string(forward.host_port) +
                             " of the host cannot be had: another program uses it, it needs root "
                             "(below 1024), or the address is not the host's");
  }

  void add(const GuestForward& forward) {
    in_addr server = forward.server;
    const int failed = forward.path.empty()
                           ? slirp_add_exec(slirp_, forward.command.c_str(), &server, forward.port)
                           : slirp_add_unix(slirp_, forward.path.c_str(), &server, forward.port);
    if (failed == 0) return;
    throw std::invalid_argument("option guestfwd: port " + std::to_string(forward.port) +
                                ": the server must be in the network, neither host nor name "
                                "server, and each of its ports be forwarded once");
  }

  Host host_;
  std::mt19937_64 random_;
  SlirpCb callbacks_{};
  std::list<Timer> timers_;
  std::vector<pollfd> fds_;
  std::int64_t due_ = kOff;  // ms
  Slirp* slirp_ = nullptr;
};

UserStack::UserStack(const UserConfig& config, Host host, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(config, std::move(host), seed)) {}
UserStack::~UserStack() = default;

void UserStack::input(ConstBytes frame) { impl_->input(frame); }
void UserStack::advance(bool sockets) { impl_->advance(sockets); }
std::optional<Time> UserStack::due() const { return impl_->due(); }
bool UserStack::uses_host() const { return impl_->uses_host(); }

}  // namespace e1000tlm::link
