/// What a register read costs a client of --vfio-user, and its parts: round trips of a message
/// through a bare UNIX socket, of one that the door answers without the simulation, and of one that
/// reads a register over the simulated bus.
///
///   e1000-door-latency SOCKET [ROUNDS]

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "e1000tlm/plugs/vfio_user/protocol.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::plugs::vfio_user;
using Clock = std::chrono::steady_clock;

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

void read_all(int fd, std::uint8_t* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = ::read(fd, data, bytes);
    require(got > 0, "the other end has hung up");
    data += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

Message question(Command command, std::size_t body) {
  Message message(kHeaderBytes + body);
  store_le16(message.data() + 2, static_cast<std::uint16_t>(command));
  store_le32(message.data() + 4, static_cast<std::uint32_t>(message.size()));
  return message;
}

/// Sends it and takes the answer.
Message ask(int fd, const Message& message) {
  require(::write(fd, message.data(), message.size()) == static_cast<ssize_t>(message.size()),
          "write");
  Message answer(kHeaderBytes);
  read_all(fd, answer.data(), kHeaderBytes);
  const Header header = header_fields(ConstBytes(answer.data(), answer.size()));
  if (header.failed) throw std::runtime_error("refused with " + std::to_string(header.error));
  answer.resize(header.size);
  read_all(fd, answer.data() + kHeaderBytes, header.size - kHeaderBytes);
  return answer;
}

/// `pause`: between two of them, as a guest has other things to do.
void measure(const char* what, int rounds, std::chrono::microseconds pause,
             const std::function<void()>& one) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    const auto start = Clock::now();
    one();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
  };
  std::printf("%-44s %8.1f %8.1f %8.1f us\n", what, at(0.1), at(0.5), at(0.9));
}

/// Closed with it.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) { require(fd >= 0, "socket"); }
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

Socket connect_to(const std::string& path) {
  Socket fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + ": too long");
  std::copy(path.begin(), path.end(), address.sun_path);
  require(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
          path.c_str());
  return fd;
}

/// A thread that sends back what it gets, woken by poll as the door is.
void echo(int fd) {
  std::array<std::uint8_t, 256> buffer{};
  for (;;) {
    pollfd ready{fd, POLLIN, 0};
    ::poll(&ready, 1, -1);
    const ssize_t bytes = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (bytes <= 0) return;
    if (::send(fd, buffer.data(), static_cast<std::size_t>(bytes), MSG_NOSIGNAL) < 0) return;
  }
}

void run(const std::string& path, int rounds) {
  const Socket door = connect_to(path);
  Message version = question(Command::kVersion, 4);
  store_le16(version.data() + kHeaderBytes + 2, 1);
  ask(door.get(), version);
  Message info = question(Command::kGetInfo, 16);
  store_le32(info.data() + kHeaderBytes, 16);
  Message decode = question(Command::kRegionWrite, 18);  // command register: memory space
  store_le64(decode.data() + kHeaderBytes, 4);
  store_le32(decode.data() + kHeaderBytes + 8, kConfigRegion);
  store_le32(decode.data() + kHeaderBytes + 12, 2);
  decode[kHeaderBytes + 16] = 2;
  ask(door.get(), decode);
  Message status = question(Command::kRegionRead, 16);  // STATUS
  store_le64(status.data() + kHeaderBytes, 8);
  store_le32(status.data() + kHeaderBytes + 12, 4);

  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
  Socket here(ends[0]);
  const Socket there(ends[1]);
  std::thread other(echo, there.get());
  Message plain(32);
  const auto through_socket = [&] {
    require(::write(here.get(), plain.data(), plain.size()) == 32, "write");
    read_all(here.get(), plain.data(), plain.size());
  };

  std::printf("%-44s %8s %8s %8s\n", "round trip", "10 %", "median", "90 %");
  for (const auto pause : {std::chrono::microseconds(0), std::chrono::microseconds(1000)}) {
    std::printf("%s\n",
                pause.count() == 0 ? "one after the other" : "with a pause of 1 ms before each");
    const int count = pause.count() == 0 ? rounds : std::max(rounds / 10, 1);
    measure("  socket alone (a thread that sends it back)", count, pause, through_socket);
    measure("  message that needs no simulation", count, pause, [&] { ask(door.get(), info); });
    measure("  register read (STATUS)", count, pause, [&] { ask(door.get(), status); });
  }
  here.close();
  other.join();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s SOCKET-OF-VFIO-USER [ROUNDS]\n", argv[0]);
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? std::max(std::atoi(argv[2]), 1) : 20'000);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
  return 0;
}
