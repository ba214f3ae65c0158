#pragma once
/// What the tests of host-driven link partners share: a NIC's end of the cable, and host sockets.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <systemc>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/frame.h"
#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::link {

using Octets = std::vector<std::uint8_t>;

/// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "e1000tlm-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// The NIC's end of a cable: link as soon as begin() was called, collects what arrives. Simulated
/// time never runs out of events, as on a board with timers.
class NicEnd : public sc_core::sc_module, public FrameSink {
 public:
  NicEnd(const sc_core::sc_module_name& name, CableEndIf& end) : sc_module(name), end_(end) {
    SC_HAS_PROCESS(NicEnd);
    SC_THREAD(tick);
    end_.set_sink(this);
  }

  /// Brings the link up and, if ready, lets the partner's settling time pass.
  void begin(bool ready = true) {
    end_.advertise(gigabit_abilities());
    end_.set_link(LinkMode{});
    end_.set_ready(ready);
    sc_core::sc_start(20, sc_core::SC_US);
  }
  /// Begins to send; returns when the last bit will have arrived.
  Time begin_to_send(const Octets& content) {
    return end_.send(FramePool::shared().copy(content), sc_now()) + ns(50);
  }
  /// Sends, and lets the time pass that this takes.
  void send(const Octets& content) {
    sc_core::sc_start(to_sc(begin_to_send(content) + ns(1) - sc_now()));
  }

  std::vector<Octets> received;
  std::vector<std::uint16_t> queues;  // theirs

 private:
  void receive(Arrival arrival) override {
    const ConstBytes bytes = arrival.frame->bytes();
    received.emplace_back(bytes.begin(), bytes.end());
    queues.push_back(arrival.frame->queue);
  }
  void tick() {
    for (;;) wait(1, sc_core::SC_US);
  }

  CableEndIf& end_;
};

/// A UNIX datagram socket of the outside world.
class Peer {
 public:
  explicit Peer(const std::string& path) : fd_(bind_unix_socket(path, SOCK_DGRAM)) {}
  int fd() const { return fd_.get(); }

  void send(const std::string& to, const Octets& content) const {
    const sockaddr_un address = unix_address(to);
    ASSERT_EQ(::sendto(fd_.get(), content.data(), content.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), sizeof address),
              static_cast<ssize_t>(content.size()))
        << errno;
  }
  /// Empty when nothing is there.
  Octets receive(int flags = MSG_DONTWAIT) const {
    Octets content(65536);
    const ssize_t size = ::recv(fd_.get(), content.data(), content.size(), flags);
    content.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return content;
  }

 private:
  UniqueFd fd_;
};

/// A frame of the local experimental EtherType (IEEE 802) that carries a number.
inline Octets numbered_frame(unsigned number, std::size_t size = 60) {
  Octets frame(size, 0);
  std::fill_n(frame.begin(), 6, std::uint8_t{0xff});
  frame[6] = 0x02;
  frame[11] = 0x01;
  frame[12] = 0x88;
  frame[13] = 0xb5;
  frame[14] = static_cast<std::uint8_t>(number >> 8);
  frame[15] = static_cast<std::uint8_t>(number);
  return frame;
}
inline unsigned number_of(const Octets& frame) {
  return frame.size() < 16 ? ~0U : static_cast<unsigned>(frame[14] << 8 | frame[15]);
}

/// Runs the simulation until the condition holds; gives up after some seconds of real time.
inline bool run_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    sc_core::sc_start(10, sc_core::SC_US);
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

}  // namespace e1000tlm::link
