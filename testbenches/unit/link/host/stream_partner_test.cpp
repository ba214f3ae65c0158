#include "e1000tlm/link/host/stream_partner.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "e1000tlm/link/host/length_prefix.h"
#include "testbenches/support/sanitizer.h"
#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/host/host_fixture.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// The outside world's end of a connection.
class Remote {
 public:
  explicit Remote(UniqueFd fd) : fd_(std::move(fd)) {}
  explicit Remote(const SocketAddress& address) : fd_(connect_to(address)) {}

  bool raw(ConstBytes bytes) const {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return true;
  }
  bool send(const Octets& frame) const { return raw(length_prefix(frame.size())) && raw(frame); }
  /// The next frame; waits for it. Empty: the connection has ended.
  Octets receive() const {
    std::array<std::uint8_t, kLengthPrefixBytes> prefix{};
    if (!fill(prefix)) return {};
    Octets frame(std::size_t{prefix[2]} << 8 | prefix[3]);
    EXPECT_EQ(prefix[0] + prefix[1], 0);
    return fill(frame) ? frame : Octets{};
  }
  bool quiet() const {
    pollfd waiting{fd_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 0;
  }
  void close() { fd_.reset(); }

 private:
  bool fill(Bytes room) const {
    while (!room.empty()) {
      const ssize_t size = ::recv(fd_.get(), room.data(), room.size(), 0);
      if (size <= 0) return false;
      room = room.subspan(static_cast<std::size_t>(size));
    }
    return true;
  }
  UniqueFd fd_;
};

std::string free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return std::to_string(ntohs(address.sin_port));
}

PartnerSpec spec_for(const SocketAddress& address, const std::string& more = "") {
  return PartnerSpec::parse(
      "stream:" +
      (address.path.empty() ? "host=127.0.0.1,port=" + address.port : "path=" + address.path) +
      more);
}

std::uint64_t drops_of(const LinkPartner& partner, const std::string& reason) {
  const auto& all = partner.statistics().drops;
  const auto it = all.find(reason);
  return it == all.end() ? 0 : it->second;
}

/// A NIC, a cable and a listening partner, polled.
struct Bench {
  explicit Bench(const std::string& more = ",server") : spec(spec_for(address, more)) {
    partner.use_polling();
    nic.begin();
  }
  std::uint64_t drops(const std::string& reason) const { return drops_of(partner, reason); }
  /// Frames that reach the NIC when the partner looks once.
  std::size_t poll() {
    partner.poll();
    sc_core::sc_start(1, sc_core::SC_MS);
    return nic.received.size();
  }

  TemporaryDirectory directory;
  SocketAddress address{directory.file("nic"), "", ""};
  PartnerSpec spec;
  Cable cable{"cable"};
  NicEnd nic{"nic", cable.end(0)};
  StreamPartner partner{{"partner"}, cable.end(1), spec};
};

TEST(StreamPartner, SendsEachFrameAfterItsLengthWithoutFcs) {
  Bench bench;
  const Remote remote(bench.address);
  bench.nic.send(numbered_frame(1, 60));
  bench.nic.send(numbered_frame(2, 1514));
  EXPECT_EQ(remote.receive(), numbered_frame(1, 60));
  EXPECT_EQ(remote.receive(), numbered_frame(2, 1514));
  EXPECT_TRUE(remote.quiet());
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 2U);
  EXPECT_TRUE(bench.partner.statistics().drops.empty());
}

TEST(StreamPartner, TakesFramesHoweverTheyAreCut) {
  Bench bench;
  const Remote remote(bench.address);
  for (const Octets& frame : {numbered_frame(1, 64), numbered_frame(2, 1514)}) {
    const auto prefix = length_prefix(frame.size());
    for (const std::uint8_t& byte : prefix) {
      remote.raw({&byte, 1});
      bench.partner.poll();
    }
    for (const std::uint8_t& byte : frame) {
      remote.raw({&byte, 1});
      bench.partner.poll();
    }
  }
  bench.poll();
  ASSERT_EQ(bench.nic.received.size(), 2U);
  EXPECT_EQ(bench.nic.received[0], numbered_frame(1, 64));
  EXPECT_EQ(bench.nic.received[1], numbered_frame(2, 1514));
  remote.send(numbered_frame(3, kMaxFrameBytes));
  remote.send(numbered_frame(4, 42));  // is padded
  bench.poll();
  EXPECT_EQ(bench.nic.received[2], numbered_frame(3, kMaxFrameBytes));
  EXPECT_EQ(bench.nic.received[3], numbered_frame(4, 60));
}

TEST(StreamPartner, DropsAndCountsWhatIsNoFrameAndGoesOn) {
  Bench bench;
  const Remote remote(bench.address);
  remote.send({});
  remote.send(Octets(13, 1));
  remote.send(Octets(kMaxFrameBytes + 1, 1));
  remote.send(numbered_frame(5));
  while (bench.nic.received.empty()) bench.poll();
  EXPECT_EQ(number_of(bench.nic.received[0]), 5U);
  EXPECT_EQ(bench.drops("too_short"), 2U);
  EXPECT_EQ(bench.drops("too_long"), 1U);
}

TEST(StreamPartner, HangsUpOnAnImpossibleLengthAndTakesTheNextPeer) {
  Bench bench;
  const Remote hostile(bench.address);
  hostile.raw(Octets(1000, 0xff));
  bench.poll();
  EXPECT_TRUE(hostile.receive().empty());
  EXPECT_EQ(bench.drops("bad_length"), 1U);
  const Remote next(bench.address);
  next.send(numbered_frame(6));
  EXPECT_EQ(bench.poll(), 1U);
  bench.nic.send(numbered_frame(7));
  EXPECT_EQ(number_of(next.receive()), 7U);
}

TEST(StreamPartner, CountsAFrameThatADisconnectCutsOff) {
  Bench bench;
  for (const std::size_t bytes : {1U, 4U, 30U}) {
    Remote remote(bench.address);
    remote.send(numbered_frame(8));
    const Octets frame = numbered_frame(9);
    Octets stream(frame.size() + 4);
    const auto prefix = length_prefix(frame.size());
    std::copy(frame.begin(), frame.end(), std::copy(prefix.begin(), prefix.end(), stream.begin()));
    remote.raw(ConstBytes(stream).first(bytes));
    remote.close();
    bench.poll();
  }
  EXPECT_EQ(bench.nic.received.size(), 3U);
  EXPECT_EQ(bench.drops("cut_off"), 3U);
  Remote(bench.address).close();  // between frames
  bench.poll();
  EXPECT_EQ(bench.drops("cut_off"), 3U);
}

TEST(StreamPartner, WhatAPeerSentBeforeItLeftStillArrives) {
  Bench bench;
  {
    const Remote remote(bench.address);
    bench.poll();
    for (unsigned i = 0; i < 20; ++i) remote.send(numbered_frame(i));
  }
  bench.nic.send(numbered_frame(99));  // finds out that nobody listens
  bench.poll();
  ASSERT_EQ(bench.nic.received.size(), 20U);
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(number_of(bench.nic.received[i]), i);
  EXPECT_EQ(bench.drops("no_peer"), 1U);
}

TEST(StreamPartner, WithoutAPeerFramesAreDroppedAndCounted) {
  Bench bench;
  bench.nic.send(numbered_frame(1));
  {
    const Remote first(bench.address);
    bench.nic.send(numbered_frame(2));
    EXPECT_EQ(number_of(first.receive()), 2U);
  }
  bench.poll();
  bench.nic.send(numbered_frame(3));
  bench.partner.finish();
  bench.nic.send(numbered_frame(4));
  bench.partner.finish();
  EXPECT_EQ(bench.drops("no_peer"), 2U);
  EXPECT_EQ(bench.drops("host_closed"), 1U);
}

TEST(StreamPartner, OnePeerAtATimeOthersWait) {
  Bench bench;
  std::optional<Remote> first(bench.address);
  bench.poll();
  const Remote second(bench.address);
  second.send(numbered_frame(2));
  EXPECT_EQ(bench.poll(), 0U);
  first->send(numbered_frame(1));
  EXPECT_EQ(bench.poll(), 1U);
  first.reset();
  EXPECT_EQ(bench.poll(), 2U);
  EXPECT_EQ(number_of(bench.nic.received[1]), 2U);
}

TEST(StreamPartner, APeerThatTakesItsTimeLosesAndReordersNothing) {
  constexpr unsigned kFrames = 3000;
  Bench bench;
  const Remote remote(bench.address);
  for (unsigned i = 0; i < kFrames; ++i) bench.nic.send(numbered_frame(i, 60 + i % 1455));
  EXPECT_FALSE(bench.partner.flush(milliseconds(0)));
  unsigned in_order = 0;
  std::thread reader([&] {
    for (unsigned i = 0; i < kFrames; ++i) {
      if (remote.receive() == numbered_frame(i, 60 + i % 1455)) ++in_order;
    }
  });
  const bool flushed = bench.partner.flush(milliseconds(20'000));
  reader.join();
  EXPECT_TRUE(flushed);
  EXPECT_EQ(in_order, kFrames);
  EXPECT_TRUE(bench.partner.statistics().drops.empty());
}

TEST(StreamPartner, CountsWhatASlowPeerNeverTook) {
  Bench bench;
  const Remote remote(bench.address);
  unsigned sent = 0;
  while (bench.partner.flush(milliseconds(0))) bench.nic.send(numbered_frame(sent++));
  constexpr unsigned kRoom = HostPartner::kOutgoingFrames;
  for (unsigned i = 1; i < kRoom + 3; ++i) bench.nic.send(numbered_frame(i));
  bench.partner.finish();
  EXPECT_EQ(bench.drops("host_queue_full"), 3U);
  EXPECT_EQ(bench.drops("host_closed"), kRoom);
}

TEST(StreamPartner, AWholeFrameGoesToTheNextPeerWhenOneLeavesWithinIt) {
  Bench bench;
  std::optional<Remote> first(bench.address);
  unsigned sent = 0;
  while (bench.partner.flush(milliseconds(0))) bench.nic.send(numbered_frame(sent++, 1514));
  const Remote second(bench.address);
  first.reset();
  bench.poll();  // sees it go
  EXPECT_TRUE(bench.partner.flush(milliseconds(1000)));
  EXPECT_EQ(second.receive(), numbered_frame(sent - 1, 1514));
}

TEST(StreamPartner, EndlessRubbishDoesNotHoldThePollerForEver) {
  Bench bench;
  const Remote remote(bench.address);
  std::atomic<bool> stop{false};
  std::thread flood([&] {
    while (!stop && remote.raw(Octets(65536, 0))) continue;  // frames of no bytes
  });
  while (bench.drops("too_short") < 100 * HostPartner::kHighWater) bench.partner.poll();
  stop = true;
  bench.partner.finish();
  flood.join();
}

TEST(StreamPartner, ConnectsByTcpToAPeerThatListens) {
  const SocketAddress address{"", "127.0.0.1", free_port()};
  const UniqueFd listener = listen_on(address);
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  StreamPartner partner({"partner"}, cable.end(1), spec_for(address));
  partner.use_polling();
  const Remote remote(accept_from(listener.get()));
  nic.begin();
  nic.send(numbered_frame(1));
  EXPECT_EQ(remote.receive(), numbered_frame(1));
  remote.send(numbered_frame(2));
  EXPECT_TRUE(run_until([&] { return partner.poll() == 1; }));
}

TEST(StreamPartner, APeerThatIsNotLookedForAgainHasGoneForGood) {
  const SocketAddress address{"", "127.0.0.1", free_port()};
  const UniqueFd listener = listen_on(address);
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  StreamPartner partner({"partner"}, cable.end(1), spec_for(address));
  partner.use_polling();
  nic.begin();
  {
    const Remote remote(accept_from(listener.get()));
    remote.send(numbered_frame(1));
  }
  e1000tlm::test::expect_report("/e1000tlm/link/host");
  std::size_t taken = 0;
  EXPECT_TRUE(run_until([&] {
    taken += partner.poll();
    return !partner.fault().empty();
  }));
  EXPECT_EQ(taken, 1U) << "what it sent before";
  EXPECT_THAT(partner.fault(), HasSubstr("reconnect="));
  nic.send(numbered_frame(2));
  partner.finish();
  EXPECT_EQ(partner.statistics().drops.at("host_gone"), 1U);
}

TEST(StreamPartner, ListensOnTcpToo) {
  const SocketAddress address{"", "127.0.0.1", free_port()};
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  StreamPartner partner({"partner"}, cable.end(1), spec_for(address, ",server=on"));
  partner.use_polling();
  const Remote remote(address);
  nic.begin();
  EXPECT_TRUE(run_until([&] { return partner.poll() == 0; }));
  nic.send(numbered_frame(1));
  EXPECT_EQ(remote.receive(), numbered_frame(1));
}

TEST(StreamPartner, ConnectsAgainAfterTheInterval) {
  for (const bool tcp : {false, true}) {
    const TemporaryDirectory directory;
    const SocketAddress address = tcp ? SocketAddress{"", "127.0.0.1", free_port()}
                                      : SocketAddress{directory.file("peer"), "", ""};
    const auto device = open_stream(stream_config(spec_for(address, ",reconnect-ms=20")));
    const auto started = std::chrono::steady_clock::now();
    EXPECT_STREQ(device->write(numbered_frame(1), milliseconds(0)).reason, "no_peer");
    for (unsigned round = 0; round < 3; ++round) {
      UniqueFd listener = listen_on(address);
      pollfd waiting{listener.get(), POLLIN, 0};
      while (::poll(&waiting, 1, 1) == 0) {
        pollfd work{device->fd(), POLLIN, 0};
        if (::poll(&work, 1, 0) > 0) device->read();
      }
      Remote remote(accept_from(listener.get()));
      while (device->write(numbered_frame(2), milliseconds(0)).outcome !=
             HostDevice::Outcome::kDone) {
        device->read();
      }
      EXPECT_EQ(remote.receive(), numbered_frame(2));
      listener.reset();
      if (!tcp) std::filesystem::remove(address.path);
      remote.close();
      EXPECT_EQ(device->read().outcome, HostDevice::Outcome::kAgain);
    }
    EXPECT_GE(std::chrono::steady_clock::now() - started, milliseconds(60));
  }
}

TEST(StreamPartner, AThreadMovesFramesBothWaysWhenNobodyPolls) {
  constexpr unsigned kFrames = 2000;
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  StreamPartner partner({"partner"}, cable.end(1), spec_for(address, ",server"));
  EXPECT_TRUE(partner.live());
  nic.begin();
  const Remote remote(address);
  std::thread sender([&] {
    for (unsigned i = 0; i < kFrames; ++i) remote.send(numbered_frame(i, 1000));
  });
  std::atomic<unsigned> in_order{0};
  std::thread reader([&] {
    while (in_order < kFrames && number_of(remote.receive()) == in_order) ++in_order;
  });
  unsigned echoed = 0;
  EXPECT_TRUE(run_until([&] {
    for (; echoed < nic.received.size(); ++echoed) nic.send(nic.received[echoed]);
    return in_order == kFrames;
  }));
  sender.join();
  reader.join();
  partner.finish();
  EXPECT_TRUE(partner.statistics().drops.empty());
}

TEST(StreamPartner, ManyFramesInOnePieceAllArriveAlthoughTheSocketIsEmptyThen) {
  constexpr unsigned kFrames = 500;
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  StreamPartner partner({"partner"}, cable.end(1), spec_for(address, ",server"));
  nic.begin();
  const Remote remote(address);
  Octets piece;
  for (unsigned i = 0; i < kFrames; ++i) {
    const auto prefix = length_prefix(60);
    const Octets frame = numbered_frame(i, 60);
    piece.resize(piece.size() + prefix.size() + frame.size());
    std::copy(frame.rbegin(), frame.rend(), piece.rbegin());
    std::copy(prefix.rbegin(), prefix.rend(), piece.rbegin() + 60);
  }
  remote.raw(piece);
  EXPECT_TRUE(run_until([&] { return nic.received.size() == kFrames; }));
  partner.finish();
}

TEST(StreamPartner, TheThreadTakesOnePeerAfterTheOtherAndSurvivesThemAll) {
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  StreamPartner partner({"partner"}, cable.end(1), spec_for(address, ",server"));
  nic.begin();
  std::atomic<bool> done{false};
  std::thread peers([&] {
    for (unsigned round = 0; round < 20; ++round) {
      const Remote hostile(address);
      hostile.send(numbered_frame(round));
      hostile.raw(round % 2 == 0 ? Octets(6, 0xff) : Octets{0, 0, 0, 60, 1});
    }
    const Remote last(address);
    last.send(numbered_frame(1000));
    done = true;
    EXPECT_EQ(number_of(last.receive()), 1000U);
  });
  EXPECT_TRUE(run_until(
      [&] { return done && !nic.received.empty() && number_of(nic.received.back()) == 1000; }));
  nic.send(nic.received.back());
  peers.join();
  partner.finish();
  EXPECT_EQ(nic.received.size(), 21U);
  EXPECT_EQ(drops_of(partner, "bad_length"), 10U);
  EXPECT_EQ(drops_of(partner, "cut_off"), 10U);
}

TEST(StreamPartner, CanGoAtAnyTime) {
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  {
    StreamPartner partner({"partner"}, cable.end(1), spec_for(address, ",server"));
    nic.begin();
  }
  EXPECT_FALSE(std::filesystem::exists(address.path));
}

template <class Exception>
std::string refusal(const std::string& text) {
  try {
    open_stream(stream_config(PartnerSpec::parse(text)));
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(StreamPartner, NoticesATcpSocketThatIsConnectedToItself) {
  const SocketAddress address{"", "127.0.0.1", free_port()};
  const ResolvedAddress self = resolve(address).front();
  const UniqueFd fd(::socket(self.family(), SOCK_STREAM, 0));
  ASSERT_EQ(::bind(fd.get(), self.generic(), self.size), 0);
  ASSERT_EQ(::connect(fd.get(), self.generic(), self.size), 0);
  EXPECT_TRUE(is_connected_to_itself(fd.get()));
  const SocketAddress other{"", "127.0.0.1", free_port()};
  const UniqueFd listener = listen_on(other);
  EXPECT_FALSE(is_connected_to_itself(connect_to(other).get()));
  const TemporaryDirectory directory;
  const SocketAddress local{directory.file("socket"), "", ""};
  const UniqueFd unix_listener = listen_on(local);
  EXPECT_FALSE(is_connected_to_itself(connect_to(local).get()));
}

TEST(StreamPartner, NamesWhatIsWrongWithItsOptions) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("nic");
  using Invalid = std::invalid_argument;
  EXPECT_THAT(refusal<Invalid>("stream:"), HasSubstr("needs the option port="));
  EXPECT_THAT(refusal<Invalid>("stream:host=h"), HasSubstr("needs the option port="));
  EXPECT_THAT(refusal<Invalid>("stream:port=0"), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(refusal<Invalid>("stream:path="), HasSubstr("needs the option path="));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,port=1"), HasSubstr("port=1: does not go with path"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,server=maybe"), HasSubstr("is none of off, on"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,server,reconnect=1"),
              HasSubstr("reconnect=1: does not go with server=on"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,reconnect=-1"), HasSubstr("is not a whole number"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,client"), HasSubstr("\"client\" has no value"));
  EXPECT_THAT(refusal<Invalid>("stream:server,server,path=x"), HasSubstr("is given twice"));
  EXPECT_THAT(refusal<std::runtime_error>("stream:path=" + path),
              HasSubstr("cannot connect to '" + path + "'"));
  EXPECT_THAT(refusal<std::runtime_error>("stream:host=127.0.0.1,port=" + free_port()),
              HasSubstr("cannot connect to '127.0.0.1:"));
  const auto first = open_stream({{path, "", ""}, true, milliseconds(0)});
  EXPECT_THAT(refusal<std::runtime_error>("stream:server,path=" + path), HasSubstr("is in use"));
}

/// Leaves this process no descriptor that it could open, as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const UniqueFd lowest(::dup(0));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest.get());
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// Serves the device as a host thread does; how often it was woken.
unsigned serve(HostDevice& device, milliseconds span) {
  const auto end = std::chrono::steady_clock::now() + span;
  unsigned wakes = 0;
  while (std::chrono::steady_clock::now() < end) {
    pollfd waiting{device.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, 10) <= 0) continue;
    ++wakes;
    EXPECT_EQ(device.read().outcome, HostDevice::Outcome::kAgain);
  }
  return wakes;
}

TEST(StreamPartner, ReconnectingSurvivesHavingNoDescriptorsLeft) {
  if (!e1000tlm::test::kMayRunOutOfDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  const auto device = open_stream({address, false, milliseconds(10)});
  {
    const NoDescriptors none;
    EXPECT_LT(serve(*device, milliseconds(200)), 30U);
  }
  const UniqueFd listener = listen_on(address);
  serve(*device, milliseconds(50));
  EXPECT_TRUE(accept_from(listener.get())) << "it goes on trying";
}

TEST(StreamPartner, AServerWithoutDescriptorsRestsAndTakesThePeerLater) {
  if (!e1000tlm::test::kMayRunOutOfDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  const auto device = open_stream({address, true, milliseconds(0)});
  const UniqueFd peer = connect_to(address);
  {
    const NoDescriptors none;
    EXPECT_LT(serve(*device, milliseconds(350)), 10U);
  }
  serve(*device, milliseconds(250));
  const std::vector<std::uint8_t> frame(60);
  EXPECT_EQ(device->write(frame, milliseconds(0)).outcome, HostDevice::Outcome::kDone);
}

TEST(StreamPartner, HavingNoDescriptorsIsWhatItIsCalled) {
  if (!e1000tlm::test::kMayRunOutOfDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const SocketAddress address{"", "127.0.0.1", free_port()};
  const std::vector<ResolvedAddress> keep = resolve(address);
  const NoDescriptors none;
  const auto reason = [](const auto& call) {
    try {
      call();
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(reason([&] { listen_on(address); }), HasSubstr("Too many open files"));
  EXPECT_THAT(reason([&] { connect_to(address); }), HasSubstr("Too many open files"));
}

}  // namespace
}  // namespace e1000tlm::link
