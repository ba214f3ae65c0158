#include "e1000tlm/link/host/dgram_partner.h"

#include <cerrno>
#include <stdexcept>
#include <vector>

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;

class DgramDevice : public HostDevice {
 public:
  DgramDevice(const std::string& local, const std::string& remote)
      : local_(local), remote_(unix_address(remote)), buffer_(kMaxFrameBytes) {
    if (local == remote) {
      throw std::invalid_argument("local and remote socket are both '" + local + "'");
    }
    fd_ = bind_unix_socket(local, SOCK_DGRAM);
  }
  ~DgramDevice() override { ::unlink(local_.c_str()); }

  int fd() const override { return fd_.get(); }
  // The socket is not connected, so that anybody may send to it and `remote` may come and go: then
  // poll() knows nothing of the receiver's queue.
  bool poll_tells_room() const override { return false; }
  std::string why_closed() const override { return "the socket does not work any more"; }

  ReadResult read() override {
    const ssize_t size =
        ::recv(fd_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0) {
      const bool again = errno == EAGAIN || errno == EINTR;
      return {again ? Outcome::kAgain : Outcome::kClosed, {}, nullptr};
    }
    if (static_cast<std::size_t>(size) > buffer_.size()) return {Outcome::kDropped, {}, "too_long"};
    return {Outcome::kDone, {buffer_.data(), static_cast<std::size_t>(size)}, nullptr};
  }

  WriteResult write(ConstBytes frame, milliseconds wait) override {
    // The kernel itself wakes a blocked sender when the receiver's queue has room again.
    int flags = MSG_NOSIGNAL;
    if (wait.count() > 0) {
      set_send_timeout(wait);
    } else {
      flags |= MSG_DONTWAIT;
    }
    const ssize_t sent = ::sendto(fd_.get(), frame.data(), frame.size(), flags,
                                  reinterpret_cast<const sockaddr*>(&remote_), sizeof remote_);
    return sent >= 0 ? WriteResult{Outcome::kDone, nullptr} : failed(errno);
  }

 private:
  static WriteResult failed(int error) {
    switch (error) {
      case EAGAIN:
      case EINTR:
      case ENOBUFS: return {Outcome::kAgain, nullptr};
      case ENOENT:
      case ECONNREFUSED:
      case ENOTDIR: return {Outcome::kDropped, "no_peer"};
      case EMSGSIZE: return {Outcome::kDropped, "too_long"};
      default: return {Outcome::kDropped, "host_error"};
    }
  }

  void set_send_timeout(milliseconds wait) {
    if (wait == send_timeout_) return;
    timeval timeout{};
    timeout.tv_sec = static_cast<time_t>(wait.count() / 1000);
    timeout.tv_usec = static_cast<suseconds_t>(wait.count() % 1000 * 1000);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    send_timeout_ = wait;
  }

  std::string local_;
  sockaddr_un remote_;
  UniqueFd fd_;
  std::vector<std::uint8_t> buffer_;
  milliseconds send_timeout_{0};
};

}  // namespace

std::unique_ptr<HostDevice> open_dgram(const std::string& local, const std::string& remote) {
  return std::make_unique<DgramDevice>(local, remote);
}

DgramPartner::DgramPartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec)
    : HostPartner(context.name.c_str(), end, spec,
                  open_dgram(spec.require("local"), spec.require("remote")), context.hold_flush) {}

PartnerRegistry::Kind dgram_kind() {
  const auto make = [](const PartnerContext& context, CableEndIf& end,
                       const PartnerSpec& spec) -> std::unique_ptr<LinkPartner> {
    return std::make_unique<DgramPartner>(context, end, spec);
  };
  return {
      "frames as datagrams on a UNIX socket: local=PATH,remote=PATH", {"local", "remote"}, make};
}

}  // namespace e1000tlm::link
