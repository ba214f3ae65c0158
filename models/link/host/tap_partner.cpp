#include "e1000tlm/link/host/tap_partner.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;

// struct virtio_net_hdr (virtio 1.1, 5.1.6): flags, gso_type, ... ; its C header is no C++.
constexpr std::size_t kVirtioHeaderBytes = 10;
constexpr std::size_t kVirtioFlags = 0;
constexpr std::size_t kVirtioGsoType = 1;
constexpr std::uint8_t kVirtioNeedsChecksum = 1;
constexpr std::uint8_t kVirtioGsoNone = 0;

ifreq request_for(const std::string& ifname) {
  if (ifname.size() >= IFNAMSIZ || ifname.find('\0') != std::string::npos) {
    throw std::invalid_argument("tap interface '" + ifname + "': a name has at most " +
                                std::to_string(IFNAMSIZ - 1) + " characters");
  }
  ifreq request{};
  std::memcpy(request.ifr_name, ifname.c_str(), ifname.size() + 1);
  return request;
}

std::string advice(int error) {
  switch (error) {
    case EBUSY: return " (another process uses it)";
    case EPERM:
    case EACCES: return " (needs CAP_NET_ADMIN, or an interface that belongs to this user)";
    case EINVAL: return " (exists and is no tap interface, or is no possible name)";
    default: return "";
  }
}

[[noreturn]] void fail(const std::string& ifname, const std::string& what, int error) {
  throw_host_error("tap interface '" + ifname + "': cannot " + what + advice(error), error);
}

UniqueFd open_control(const std::string& ifname, const std::string& control) {
  UniqueFd fd(::open(control.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    throw_host_error("tap interface '" + ifname + "': cannot open " + control, errno);
  }
  return fd;
}

/// Attaches the descriptor to the interface, which must have been made with the same choice of
/// queues: one that exists with several is joined with one queue more. Returns its name, which the
/// kernel completes if it is a pattern ("tap%d").
std::string attach(int fd, const std::string& ifname) {
  for (const int queues : {0, IFF_MULTI_QUEUE}) {
    ifreq request = request_for(ifname);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | queues);
    if (::ioctl(fd, TUNSETIFF, &request) == 0) return request.ifr_name;
    if (errno != EINVAL) break;
  }
  fail(ifname, "attach to it", errno);
}

/// Without the permission the interface stays down until its owner brings it up.
void bring_up(const std::string& ifname) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(ifname);
  if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0 && errno != EPERM) {
    fail(ifname, "bring it up", errno);
  }
}

class TapDevice : public HostDevice {
 public:
  TapDevice(const std::string& ifname, const std::string& control) {
    request_for(ifname);
    fd_ = open_control(ifname, control);
    const bool created = ::if_nametoindex(ifname.c_str()) == 0;
    const std::string name = attach(fd_.get(), ifname);
    learn_header(name);
    if (created) bring_up(name);
    buffer_.resize(header_bytes_ + kMaxFrameBytes + 1);
    zeros_.resize(header_bytes_);
  }

  int fd() const override { return fd_.get(); }
  bool poll_tells_room() const override { return true; }
  std::string why_closed() const override { return "the tap interface has gone"; }

  ReadResult read() override {
    const ssize_t size = ::read(fd_.get(), buffer_.data(), buffer_.size());
    if (size < 0) {
      const bool again = errno == EAGAIN || errno == EINTR;
      return {again ? Outcome::kAgain : Outcome::kClosed, {}, nullptr};
    }
    const auto bytes = static_cast<std::size_t>(size);
    if (bytes < header_bytes_) return {Outcome::kDropped, {}, "too_short"};
    if (bytes == buffer_.size()) return {Outcome::kDropped, {}, "too_long"};
    if (relies_on_header()) return {Outcome::kDropped, {}, "offload"};
    return {Outcome::kDone, {buffer_.data() + header_bytes_, bytes - header_bytes_}, nullptr};
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    if (wait.count() > 0) {
      pollfd room{fd_.get(), POLLOUT, 0};
      ::poll(&room, 1, static_cast<int>(wait.count()));
    }
    const iovec parts[] = {{zeros_.data(), zeros_.size()},
                           {const_cast<std::uint8_t*>(frame.data()), frame.size()}};
    if (::writev(fd_.get(), parts, 2) >= 0) return {Outcome::kDone, nullptr};
    switch (errno) {
      case EAGAIN:
      case EINTR:
      case ENOBUFS: return {Outcome::kAgain, nullptr};
      case EIO: return {Outcome::kDropped, "interface_down"};
      case EBADFD: return {Outcome::kClosed, nullptr};
      default: return {Outcome::kDropped, "host_error"};
    }
  }

 private:
  void learn_header(const std::string& ifname) {
    ifreq request{};
    if (::ioctl(fd_.get(), TUNGETIFF, &request) != 0) fail(ifname, "read its settings", errno);
    virtio_header_ = (request.ifr_flags & IFF_VNET_HDR) != 0;
    if (virtio_header_) {
      int size = 0;
      if (::ioctl(fd_.get(), TUNGETVNETHDRSZ, &size) != 0 ||
          size < static_cast<int>(kVirtioHeaderBytes)) {
        fail(ifname, "read the size of its virtio header", errno);
      }
      header_bytes_ = static_cast<std::size_t>(size);
    } else if (::ioctl(fd_.get(), TUNSETOFFLOAD, 0) != 0) {
      fail(ifname, "switch its offloads off", errno);
    }
  }

  bool relies_on_header() const {
    if (!virtio_header_) return false;
    return (buffer_[kVirtioFlags] & kVirtioNeedsChecksum) != 0 ||
           buffer_[kVirtioGsoType] != kVirtioGsoNone;
  }

  UniqueFd fd_;
  bool virtio_header_ = false;
  std::size_t header_bytes_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint8_t> zeros_;
};

}  // namespace

std::unique_ptr<HostDevice> open_tap(const std::string& ifname, const std::string& control) {
  return std::make_unique<TapDevice>(ifname, control);
}

TapPartner::TapPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec, open_tap(spec.require("ifname")),
                  context.hold_flush) {}

PartnerRegistry::Kind tap_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<TapPartner>(context, end, spec);
  };
  return {"frames on a tap interface of the host: ifname=NAME", {"ifname"}, make};
}

}  // namespace e1000tlm::link
