#include "e1000tlm/link/host/tap_device.h"

#include <cerrno>
#include <climits>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/link/host/flow.h"
#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/link/host/host_process.h"
#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/virtio_header.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;

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
std::string attach(int fd, const std::string& ifname, const TapConfig& config) {
  const int header = config.vnet_hdr ? IFF_VNET_HDR : 0;
  for (const int queues : {0, IFF_MULTI_QUEUE}) {
    if (config.queues > 1 && queues == 0) continue;
    ifreq request = request_for(ifname);
    request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | queues | header);
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

/// The interface's name, of a descriptor that somebody else has opened.
std::string name_of(int fd, const std::string& number) {
  ifreq request{};
  if (::ioctl(fd, TUNGETIFF, &request) == 0 && (request.ifr_flags & IFF_TAP) != 0) {
    return request.ifr_name;
  }
  throw std::invalid_argument("descriptor " + number + " is not that of a tap interface");
}

class TapDevice : public HostDevice {
 public:
  explicit TapDevice(const TapConfig& config) : config_(config) {
    if (!config.fds.empty()) {
      take_queues();
    } else if (!config.helper.empty()) {
      queues_.push_back(run_bridge_helper(config.helper, config.bridge));
      name_ = name_of(queues_.front().get(), "from helper '" + config.helper + "'");
      ::fcntl(queues_.front().get(), F_SETFL, O_RDWR | O_NONBLOCK);
    } else {
      make_queues();
    }
    for (const UniqueFd& queue : queues_) learn_header(queue.get());
    set_send_buffer();
    run_script();
    buffer_.resize(header_bytes_ +
                   (header_bytes_ > 0 ? OffloadFinisher::kMostBytes : kMaxFrameBytes) + 1);
    zeros_.resize(header_bytes_);
    if (!simple()) {
      watch_.emplace();
      leftover_.emplace(*watch_);
      for (const UniqueFd& queue : queues_) watch_->add(queue.get(), EPOLLIN);
    }
  }

  int fd() const override { return simple() ? queues_.front().get() : watch_->fd(); }
  bool poll_tells_room() const override { return simple(); }
  unsigned queues() const override { return static_cast<unsigned>(queues_.size()); }
  std::string why_closed() const override { return "the tap interface has gone"; }

  std::string shut_down() override {
    if (!scripted_ || config_.downscript.empty()) return {};
    return run_interface_script(config_.downscript, name_);
  }

  /// Queue after queue, a frame of each.
  ReadResult read() override {
    if (finisher_.more()) return finished();
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      const int queue = queues_[next_queue_].get();
      came_by_ = queues_.size() == 1 ? kNoQueue : static_cast<std::uint16_t>(next_queue_);
      next_queue_ = (next_queue_ + 1) % queues_.size();
      const ssize_t size = ::read(queue, buffer_.data(), buffer_.size());
      if (size >= 0) return received(static_cast<std::size_t>(size));
      if (errno != EAGAIN && errno != EINTR) return {Outcome::kClosed, {}, nullptr};
    }
    return {Outcome::kAgain, {}, nullptr};
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    return write_by(kNoQueue, frame, wait);
  }

  WriteResult write_by(std::uint16_t by, ConstBytes frame, milliseconds wait) override {
    const int queue = queues_[queue_for(by, frame, queues_.size())].get();
    if (wait.count() > 0) is_ready(queue, POLLOUT, wait);
    const iovec parts[] = {{zeros_.data(), zeros_.size()},
                           {const_cast<std::uint8_t*>(frame.data()), frame.size()}};
    if (::writev(queue, parts, 2) >= 0) return {Outcome::kDone, nullptr};
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
  /// One descriptor, which tells all there is to know.
  bool simple() const { return queues_.size() == 1 && header_bytes_ == 0; }

  void make_queues() {
    const std::string& ifname = config_.ifname;
    request_for(ifname);
    created_ = ::if_nametoindex(ifname.c_str()) == 0;
    name_ = ifname;
    for (unsigned i = 0; i < config_.queues; ++i) {
      queues_.push_back(open_control(ifname, config_.control));
      name_ = attach(queues_.back().get(), name_, config_);
    }
  }

  void take_queues() {
    for (const std::string& number : config_.fds) {
      queues_.push_back(take_descriptor(number));
      const std::string name = name_of(queues_.back().get(), number);
      if (queues_.size() > 1 && name != name_) {
        throw std::invalid_argument("descriptor " + number + " is a queue of " + name +
                                    ", the first is one of " + name_);
      }
      name_ = name;
    }
  }

  void learn_header(int queue) {
    ifreq request{};
    if (::ioctl(queue, TUNGETIFF, &request) != 0) fail(name_, "read its settings", errno);
    const bool header = (request.ifr_flags & IFF_VNET_HDR) != 0;
    if (config_.vnet_hdr && !header) {
      throw std::runtime_error("tap interface '" + name_ +
                               "': vnet_hdr=on: it has no virtio header (make it with one, as "
                               "`ip tuntap add ... vnet_hdr` does)");
    }
    constexpr unsigned kOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    // Other users of a multi-queue interface may rely on its offloads: they are left as they are.
    const bool change = config_.vnet_hdr || !header || !config_.helper.empty();
    if (change && ::ioctl(queue, TUNSETOFFLOAD, config_.vnet_hdr ? kOffloads : 0) != 0) {
      fail(name_, config_.vnet_hdr ? "switch its offloads on" : "switch its offloads off", errno);
    }
    if (!header) return;
    int size = 0;
    if (::ioctl(queue, TUNGETVNETHDRSZ, &size) != 0 ||
        size < static_cast<int>(kVirtioHeaderBytes)) {
      fail(name_, "read the size of its virtio header", errno);
    }
    header_bytes_ = static_cast<std::size_t>(size);
  }

  void set_send_buffer() {
    if (!config_.sndbuf) return;
    const bool no_limit = *config_.sndbuf == 0 || *config_.sndbuf > INT_MAX;
    const int bytes = no_limit ? INT_MAX : static_cast<int>(*config_.sndbuf);
    for (const UniqueFd& queue : queues_) {
      if (::ioctl(queue.get(), TUNSETSNDBUF, &bytes) != 0) fail(name_, "set sndbuf", errno);
    }
  }

  /// The script brings the interface up; without one we do.
  void run_script() {
    if (config_.script.empty()) {
      if (created_) bring_up(name_);
    } else if (const std::string failure = run_interface_script(config_.script, name_);
               !failure.empty()) {
      throw std::runtime_error("tap interface '" + name_ + "': " + failure);
    }
    scripted_ = true;
  }

  ReadResult received(std::size_t bytes) {
    if (bytes < header_bytes_) return {Outcome::kDropped, {}, "too_short"};
    if (bytes == buffer_.size()) return {Outcome::kDropped, {}, "too_long"};
    const Bytes frame(buffer_.data() + header_bytes_, bytes - header_bytes_);
    if (header_bytes_ == 0) return done(frame);
    if (frame.empty()) return {Outcome::kDropped, {}, "too_short"};
    if (!finisher_.begin({buffer_.data(), header_bytes_}, frame)) {
      return {Outcome::kDropped, {}, "offload"};
    }
    return finished();
  }

  ReadResult done(ConstBytes frame) const { return {Outcome::kDone, frame, nullptr, 1, came_by_}; }

  /// Segments that are left keep the device readable.
  ReadResult finished() {
    const ConstBytes frame = finisher_.next();
    leftover_->set(finisher_.more());
    return done(frame);
  }

  TapConfig config_;
  std::string name_;
  bool created_ = false;
  bool scripted_ = false;
  std::vector<UniqueFd> queues_;
  std::size_t next_queue_ = 0;
  std::uint16_t came_by_ = kNoQueue;  // what was read last
  std::optional<Watch> watch_;        // unless simple()
  std::optional<Leftover> leftover_;
  std::size_t header_bytes_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint8_t> zeros_;
  OffloadFinisher finisher_;
};

}  // namespace

std::unique_ptr<HostDevice> open_tap(const TapConfig& config) {
  return std::make_unique<TapDevice>(config);
}

}  // namespace e1000tlm::link
