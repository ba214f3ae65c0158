#include "e1000tlm/link/host/stream_partner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <poll.h>

#include "e1000tlm/link/host/length_prefix.h"
#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/host/stream_fixture.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST(StreamPartner, SendsEachFrameAfterItsLengthWithoutFcs) {
  StreamBench bench;
  const StreamRemote remote(bench.address);
  bench.nic.send(numbered_frame(1, 60));
  bench.nic.send(numbered_frame(2, 1514));
  EXPECT_EQ(remote.receive(), numbered_frame(1, 60));
  EXPECT_EQ(remote.receive(), numbered_frame(2, 1514));
  EXPECT_TRUE(remote.quiet());
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 2U);
  EXPECT_TRUE(bench.partner.statistics().drops.empty());
}

TEST(StreamPartner, TakesFramesHoweverTheyAreCut) {
  StreamBench bench;
  const StreamRemote remote(bench.address);
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
  StreamBench bench;
  const StreamRemote remote(bench.address);
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
  StreamBench bench;
  const StreamRemote hostile(bench.address);
  hostile.raw(Octets(1000, 0xff));
  bench.poll();
  EXPECT_TRUE(hostile.receive().empty());
  EXPECT_EQ(bench.drops("bad_length"), 1U);
  const StreamRemote next(bench.address);
  next.send(numbered_frame(6));
  EXPECT_EQ(bench.poll(), 1U);
  bench.nic.send(numbered_frame(7));
  EXPECT_EQ(number_of(next.receive()), 7U);
}

TEST(StreamPartner, CountsAFrameThatADisconnectCutsOff) {
  StreamBench bench;
  for (const std::size_t bytes : {1U, 4U, 30U}) {
    StreamRemote remote(bench.address);
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
  StreamRemote(bench.address).close();  // between frames
  bench.poll();
  EXPECT_EQ(bench.drops("cut_off"), 3U);
}

TEST(StreamPartner, WhatAPeerSentBeforeItLeftStillArrives) {
  StreamBench bench;
  {
    const StreamRemote remote(bench.address);
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
  StreamBench bench;
  bench.nic.send(numbered_frame(1));
  {
    const StreamRemote first(bench.address);
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
  StreamBench bench;
  std::optional<StreamRemote> first(bench.address);
  bench.poll();
  const StreamRemote second(bench.address);
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
  StreamBench bench;
  const StreamRemote remote(bench.address);
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
  StreamBench bench;
  const StreamRemote remote(bench.address);
  unsigned sent = 0;
  while (bench.partner.flush(milliseconds(0))) bench.nic.send(numbered_frame(sent++));
  constexpr unsigned kRoom = HostPartner::kOutgoingFrames;
  for (unsigned i = 1; i < kRoom + 3; ++i) bench.nic.send(numbered_frame(i));
  bench.partner.finish();
  EXPECT_EQ(bench.drops("host_queue_full"), 3U);
  EXPECT_EQ(bench.drops("host_closed"), kRoom);
}

TEST(StreamPartner, AWholeFrameGoesToTheNextPeerWhenOneLeavesWithinIt) {
  StreamBench bench;
  std::optional<StreamRemote> first(bench.address);
  unsigned sent = 0;
  while (bench.partner.flush(milliseconds(0))) bench.nic.send(numbered_frame(sent++, 1514));
  const StreamRemote second(bench.address);
  first.reset();
  bench.poll();  // sees it go
  EXPECT_TRUE(bench.partner.flush(milliseconds(1000)));
  EXPECT_EQ(second.receive(), numbered_frame(sent - 1, 1514));
}

TEST(StreamPartner, EndlessRubbishDoesNotHoldThePollerForEver) {
  StreamBench bench;
  const StreamRemote remote(bench.address);
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
  const StreamRemote remote(accept_from(listener.get()));
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
    const StreamRemote remote(accept_from(listener.get()));
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
  const StreamRemote remote(address);
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
      StreamRemote remote(accept_from(listener.get()));
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
  const StreamRemote remote(address);
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
  const StreamRemote remote(address);
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
      const StreamRemote hostile(address);
      hostile.send(numbered_frame(round));
      hostile.raw(round % 2 == 0 ? Octets(6, 0xff) : Octets{0, 0, 0, 60, 1});
    }
    const StreamRemote last(address);
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

}  // namespace
}  // namespace e1000tlm::link
