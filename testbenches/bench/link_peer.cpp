/// The far end of a link that is measured: sends frames as fast as the link takes them, or counts
/// those that come. Used by links.py.
///
///   e1000-link-peer LINK send COUNT SIZE      begins with the first line on standard input
///   e1000-link-peer LINK receive COUNT        ends after that many, or 2 s after the last one
///
/// LINK is a link partner's text (stream, socket, dgram, l2tpv3, vde), packet:IFNAME for an
/// interface, or udp:LOCAL-PORT:REMOTE-PORT for datagrams on 127.0.0.1 that a user-mode network
/// makes frames of. Prints "ready", and at the end frames and seconds.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <systemc>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "e1000tlm/link/host/dgram_partner.h"
#include "e1000tlm/link/host/l2tpv3_partner.h"
#include "e1000tlm/link/host/socket_partner.h"
#include "e1000tlm/link/host/stream_partner.h"
#ifdef E1000TLM_HAS_VDEPLUG
#include "e1000tlm/link/host/vde_partner.h"
#endif

namespace {

using namespace e1000tlm;
using link::HostDevice;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint16_t kEtherType = 0x88B5;  // local experiments
constexpr std::size_t kUdpHeaders = 42;       // Ethernet, IPv4, UDP
constexpr std::size_t kMostBytes = 1514;
constexpr int kPatience = 2000;  // ms
constexpr int kBigQueue = 64 << 20;

/// Frames on an interface of this machine.
link::DatagramSockets packet_socket(const std::string& interface) {
  link::DatagramSockets sockets;
  sockets.in = link::UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(kEtherType)));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(kEtherType);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (!sockets.in ||
      ::bind(sockets.in.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    link::throw_host_error("cannot bind to " + interface, errno);
  }
  return sockets;
}

std::unique_ptr<HostDevice> open_link(const std::string& text) {
  const link::PartnerSpec spec = link::PartnerSpec::parse(
      text.rfind("packet:", 0) == 0 || text.rfind("udp:", 0) == 0 ? "none" : text);
  const std::string rest = text.substr(text.find(':') + 1);
  if (text.rfind("packet:", 0) == 0) return link::make_datagram_device(packet_socket(rest));
  if (text.rfind("udp:", 0) == 0) {
    const std::size_t colon = rest.find(':');
    return link::make_datagram_device(link::udp_datagrams(
        {"", "127.0.0.1", rest.substr(0, colon)}, {"", "127.0.0.1", rest.substr(colon + 1)}));
  }
  if (spec.kind == "stream") {
    link::StreamConfig config;
    config.address.path = spec.require("path");
    config.server = true;
    return link::open_stream(config);
  }
  if (spec.kind == "socket") return link::open_socket(spec);
  if (spec.kind == "dgram") return link::open_dgram(spec);
  if (spec.kind == "l2tpv3") return link::open_l2tpv3(spec);
#ifdef E1000TLM_HAS_VDEPLUG
  if (spec.kind == "vde") {
    link::VdeConfig config;
    config.sock = spec.require("sock");
    return link::open_vde(config);
  }
#endif
  throw std::invalid_argument(text + ": not a link that can be measured here");
}

std::vector<std::uint8_t> frame_of(std::size_t size) {
  std::vector<std::uint8_t> frame(size, 0x5A);
  const std::array<std::uint8_t, 14> header{0x52, 0x54, 0, 0x12, 0x34, 0x56, 2,
                                            0,    0,    0, 0,    1,    0x88, 0xB5};
  std::copy(header.begin(), header.end(), frame.begin());
  return frame;
}

void report(std::uint64_t frames, Clock::duration time) {
  std::printf("%llu %.6f\n", static_cast<unsigned long long>(frames),
              std::chrono::duration<double>(time).count());
}

void send(HostDevice& device, std::uint64_t count, std::size_t size, bool datagrams) {
  std::vector<std::uint8_t> frame = frame_of(size);
  if (datagrams) frame.assign(size - kUdpHeaders, 0x5A);
  const ConstBytes bytes(frame.data(), frame.size());
  std::string line;
  std::getline(std::cin, line);
  const auto start = Clock::now();
  for (std::uint64_t sent = 0; sent < count;) {
    const HostDevice::WriteResult result = device.write(bytes, milliseconds(100));
    if (result.outcome == HostDevice::Outcome::kClosed) throw std::runtime_error("it has gone");
    if (result.outcome != HostDevice::Outcome::kAgain) ++sent;
  }
  report(count, Clock::now() - start);
  std::fflush(stdout);
  std::getline(std::cin, line);  // so that what is on its way is not lost with the socket
}

void receive(HostDevice& device, std::uint64_t count, bool datagrams) {
  std::uint64_t frames = 0;
  Clock::time_point first, last;
  while (frames < count) {
    const HostDevice::ReadResult result = device.read();
    if (result.outcome == HostDevice::Outcome::kClosed) break;
    if (result.outcome == HostDevice::Outcome::kAgain) {
      pollfd fd{device.fd(), POLLIN, 0};
      if (::poll(&fd, 1, frames > 0 ? kPatience : -1) == 0) break;
      continue;
    }
    if (result.outcome != HostDevice::Outcome::kDone) continue;
    const ConstBytes frame = result.frame;
    if (!datagrams && (frame.size() < 14 || frame[12] != 0x88 || frame[13] != 0xB5)) continue;
    last = Clock::now();
    if (frames++ == 0) first = last;
  }
  report(frames, last - first);
}

/// What the kernel holds for a reader who is busy.
void enlarge_queue(const HostDevice& device) {
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    ::setsockopt(device.fd(), SOL_SOCKET, option, &kBigQueue, sizeof kBigQueue);
  }
}

}  // namespace

/// SystemC's library, which link partners come with, wants one.
int sc_main(int, char**) { return 0; }

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() < 3) throw std::invalid_argument("LINK send COUNT SIZE | LINK receive COUNT");
    const std::unique_ptr<HostDevice> device = open_link(words[0]);
    const bool datagrams = words[0].rfind("udp:", 0) == 0;
    const std::uint64_t count = std::stoull(words[2]);
    std::puts("ready");
    std::fflush(stdout);
    if (words[1] == "receive") {
      enlarge_queue(*device);
      receive(*device, count, datagrams);
    } else {
      const std::size_t size = std::stoul(words.at(3));
      if (size < 60 || size > kMostBytes) throw std::invalid_argument("size: 60 to 1514");
      send(*device, count, size, datagrams);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "e1000-link-peer: %s\n", error.what());
    return 1;
  }
  return 0;
}
