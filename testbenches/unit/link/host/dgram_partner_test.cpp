#include "e1000tlm/link/host/dgram_partner.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include "testbenches/unit/link/host/host_fixture.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

PartnerSpec spec_for(const std::string& local, const std::string& remote) {
  PartnerSpec spec;
  spec.kind = "dgram";
  spec.options = {{"local", local}, {"remote", remote}};
  return spec;
}

/// A NIC, a cable and the partner, with a peer to talk to.
struct Bench {
  explicit Bench(bool with_peer = true) {
    if (with_peer) peer.emplace(remote);
    partner.use_polling();
  }
  std::uint64_t drops(const std::string& reason) const {
    const auto& all = partner.statistics().drops;
    const auto it = all.find(reason);
    return it == all.end() ? 0 : it->second;
  }

  TemporaryDirectory directory;
  std::string local = directory.file("nic");
  std::string remote = directory.file("peer");
  std::optional<Peer> peer;
  Cable cable{"cable"};
  NicEnd nic{"nic", cable.end(0)};
  DgramPartner partner{{"partner"}, cable.end(1), spec_for(local, remote)};
};

TEST(DgramPartner, SendsEachFrameOfTheNicAsOneDatagramWithoutFcs) {
  Bench bench;
  bench.nic.begin();
  bench.nic.send(numbered_frame(1, 60));
  bench.nic.send(numbered_frame(2, 1514));
  EXPECT_EQ(bench.peer->receive(), numbered_frame(1, 60));
  EXPECT_EQ(bench.peer->receive(), numbered_frame(2, 1514));
  EXPECT_TRUE(bench.peer->receive().empty());
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 2U);
  EXPECT_EQ(bench.partner.statistics().bytes_from_nic, 1574U);
}

TEST(DgramPartner, GivesAFrameToTheHostWhenItsLastBitHasArrivedAndNotBefore) {
  Bench bench;
  bench.nic.begin();
  const Time arrives = bench.nic.begin_to_send(numbered_frame(1, 1514));
  sc_core::sc_start(to_sc(arrives - sc_now()));  // not with what happens at that very time
  EXPECT_TRUE(bench.peer->receive().empty());
  EXPECT_TRUE(bench.partner.releasing()) << "whoever steps time has to wait for it";
  sc_core::sc_start(to_sc(ns(1)));
  EXPECT_EQ(bench.peer->receive(), numbered_frame(1, 1514));
  EXPECT_FALSE(bench.partner.releasing());
}

TEST(DgramPartner, DoesNotGetWhatAPulledPlugCutsOff) {
  Bench bench;
  bench.nic.begin();
  bench.nic.send(numbered_frame(1, 100));
  const Time arrives = bench.nic.begin_to_send(numbered_frame(2, 1514));
  sc_core::sc_start(to_sc(arrives - us(1) - sc_now()));
  bench.cable.plug(false);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.peer->receive(), numbered_frame(1, 100));
  EXPECT_TRUE(bench.peer->receive().empty());
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 1U);
  EXPECT_EQ(bench.partner.statistics().bytes_from_nic, 100U);
  EXPECT_EQ(bench.cable.statistics(0).frames, 1U);
  EXPECT_EQ(bench.cable.statistics(0).lost_no_link, 1U);
}

TEST(DgramPartner, TakesDatagramsWhenItIsPolledAndNotBefore) {
  Bench bench;
  bench.nic.begin();
  bench.peer->send(bench.local, numbered_frame(7, 100));
  bench.peer->send(bench.local, numbered_frame(8, 100));
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.nic.received.empty());
  EXPECT_EQ(bench.partner.poll(), 2U);
  EXPECT_EQ(bench.partner.poll(), 0U);
  sc_core::sc_start(1, sc_core::SC_MS);
  ASSERT_EQ(bench.nic.received.size(), 2U);
  EXPECT_EQ(bench.nic.received[0], numbered_frame(7, 100));
  EXPECT_EQ(bench.nic.received[1], numbered_frame(8, 100));
  EXPECT_FALSE(bench.partner.live());
}

TEST(DgramPartner, HoldsDatagramsUntilTheMacIsReady) {
  Bench bench;
  bench.nic.begin(false);
  bench.peer->send(bench.local, numbered_frame(1));
  EXPECT_EQ(bench.partner.poll(), 1U);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.nic.received.empty());
  bench.cable.end(0).set_ready(true);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.nic.received.size(), 1U);
}

TEST(DgramPartner, WhenPolledHeldDatagramsLeaveAtTheMomentTheMacIsReady) {
  Bench bench;
  bench.nic.begin(false);
  bench.peer->send(bench.local, numbered_frame(1));
  EXPECT_EQ(bench.partner.poll(), 1U);
  bench.cable.end(0).set_ready(true);
  sc_core::sc_start(1, sc_core::SC_NS);
  EXPECT_EQ(bench.cable.end(1).in_flight(), 1U);
}

TEST(DgramPartner, PadsShortFramesWithZeros) {
  Bench bench;
  bench.nic.begin();
  bench.peer->send(bench.local, numbered_frame(9, 42));
  bench.partner.poll();
  ASSERT_EQ(bench.nic.received.size(), 1U);
  EXPECT_EQ(bench.nic.received[0], numbered_frame(9, 60));
}

TEST(DgramPartner, DropsAndCountsDatagramsThatAreNoFrames) {
  Bench bench;
  bench.nic.begin();
  bench.peer->send(bench.local, Octets{});
  bench.peer->send(bench.local, Octets(13, 1));
  bench.peer->send(bench.local, Octets(kMaxFrameBytes + 1, 1));
  bench.peer->send(bench.local, numbered_frame(3, kMaxFrameBytes));
  bench.partner.poll();
  ASSERT_EQ(bench.nic.received.size(), 1U);
  EXPECT_EQ(number_of(bench.nic.received[0]), 3U);
  EXPECT_EQ(bench.drops("too_short"), 2U);
  EXPECT_EQ(bench.drops("too_long"), 1U);
}

TEST(DgramPartner, AFullPeerQueueNeitherLosesNorReordersFrames) {
  constexpr unsigned kFrames = 1500;
  Bench bench;
  bench.nic.begin();
  for (unsigned i = 0; i < kFrames; ++i) bench.nic.send(numbered_frame(i, 1514));
  EXPECT_FALSE(bench.partner.flush(milliseconds(0)));
  EXPECT_FALSE(bench.partner.flush(milliseconds(5)));
  unsigned in_order = 0;
  std::thread reader([&] {
    for (unsigned i = 0; i < kFrames; ++i) {
      if (i % 100 == 0) std::this_thread::sleep_for(milliseconds(1));
      if (number_of(bench.peer->receive(0)) == i) ++in_order;
    }
  });
  const bool flushed = bench.partner.flush(milliseconds(20'000));
  reader.join();
  EXPECT_TRUE(flushed);
  EXPECT_EQ(in_order, kFrames);
  EXPECT_TRUE(bench.partner.statistics().drops.empty());
}

TEST(DgramPartner, AFrameSentWhileOthersWaitDoesNotOvertakeThem) {
  Bench bench;
  bench.nic.begin();
  unsigned sent = 0;
  while (bench.partner.flush(milliseconds(0))) bench.nic.send(numbered_frame(sent++));
  EXPECT_EQ(number_of(bench.peer->receive()), 0U);  // makes room
  bench.nic.send(numbered_frame(sent++));
  unsigned expected = 1;
  while (expected < sent) {
    bench.partner.flush(milliseconds(0));
    ASSERT_EQ(number_of(bench.peer->receive()), expected);
    ++expected;
  }
}

TEST(DgramPartner, CountsWhatASlowPeerNeverTook) {
  Bench bench;
  bench.nic.begin();
  constexpr unsigned kRoom = HostPartner::kOutgoingFrames;
  unsigned sent = 0;
  while (bench.partner.flush(milliseconds(0))) bench.nic.send(numbered_frame(sent++));
  for (unsigned i = 1; i < kRoom + 3; ++i) bench.nic.send(numbered_frame(i));  // 1 waits already
  bench.partner.finish();
  EXPECT_EQ(bench.drops("host_queue_full"), 3U);
  EXPECT_EQ(bench.drops("host_closed"), kRoom);
}

TEST(DgramPartner, WithoutAPeerFramesAreDroppedAndCounted) {
  Bench bench(false);
  bench.nic.begin();
  bench.nic.send(numbered_frame(1));
  bench.partner.finish();
  bench.nic.send(numbered_frame(2));
  bench.partner.finish();
  EXPECT_EQ(bench.drops("no_peer"), 1U);
  EXPECT_EQ(bench.drops("host_closed"), 1U);
}

TEST(DgramPartner, APeerMayComeAndGo) {
  Bench bench(false);
  bench.nic.begin();
  bench.nic.send(numbered_frame(1));
  {
    const Peer first(bench.remote);
    bench.nic.send(numbered_frame(2));
    EXPECT_EQ(number_of(first.receive()), 2U);
  }
  bench.nic.send(numbered_frame(3));
  const Peer second(bench.remote);
  bench.nic.send(numbered_frame(4));
  EXPECT_EQ(number_of(second.receive()), 4U);
  bench.partner.finish();
  EXPECT_EQ(bench.drops("no_peer"), 2U);
}

TEST(DgramPartner, APeerThatIsConnectedToTheNicGetsItsFrames) {
  Bench bench;
  const sockaddr_un address = unix_address(bench.local);
  ASSERT_EQ(
      ::connect(bench.peer->fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  bench.nic.begin();
  bench.nic.send(numbered_frame(5));
  EXPECT_EQ(number_of(bench.peer->receive()), 5U);
}

TEST(DgramPartner, DamagedFramesDoNotReachTheHost) {
  Bench bench;
  bench.nic.begin();
  FramePtr frame = FramePool::shared().copy(numbered_frame(1));
  frame->carry_fcs(~frame->fcs());
  sc_core::sc_start(to_sc(bench.cable.end(0).send(frame, sc_now()) + us(1) - sc_now()));
  EXPECT_TRUE(bench.peer->receive().empty());
  EXPECT_EQ(bench.drops("bad_fcs"), 1U);
}

TEST(DgramPartner, AThreadMovesFramesBothWaysWhenNobodyPolls) {
  constexpr unsigned kFrames = 300;
  TemporaryDirectory directory;
  const Peer peer(directory.file("peer"));
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  DgramPartner partner({"partner"}, cable.end(1),
                       spec_for(directory.file("nic"), directory.file("peer")));
  EXPECT_TRUE(partner.live());
  nic.begin();
  std::thread sender([&] {
    for (unsigned i = 0; i < kFrames; ++i) peer.send(directory.file("nic"), numbered_frame(i));
  });
  unsigned echoed = 0;
  unsigned in_order = 0;
  EXPECT_TRUE(run_until([&] {
    for (; echoed < nic.received.size(); ++echoed) {
      EXPECT_EQ(number_of(nic.received[echoed]), echoed);
      nic.send(nic.received[echoed]);  // more than the peer's queue holds
    }
    for (Octets frame = peer.receive(); !frame.empty(); frame = peer.receive()) {
      EXPECT_EQ(number_of(frame), in_order);
      ++in_order;
    }
    return in_order == kFrames;
  }));
  sender.join();
  partner.finish();
  EXPECT_TRUE(partner.statistics().drops.empty());
  EXPECT_EQ(partner.statistics().frames_to_nic, kFrames);
}

TEST(DgramPartner, AMacThatIsNotReadyPushesBackOnTheSender) {
  constexpr unsigned kFrames = 5000;
  TemporaryDirectory directory;
  const Peer peer(directory.file("peer"));
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  DgramPartner partner({"partner"}, cable.end(1),
                       spec_for(directory.file("nic"), directory.file("peer")));
  nic.begin(false);
  std::atomic<unsigned> sent{0};
  std::thread sender([&] {
    for (unsigned i = 0; i < kFrames; ++i) {
      peer.send(directory.file("nic"), numbered_frame(i));
      ++sent;
    }
  });
  EXPECT_TRUE(run_until([&] { return sent >= HostPartner::kHighWater; }));
  for (int i = 0; i < 50; ++i) {
    sc_core::sc_start(100, sc_core::SC_US);
    std::this_thread::sleep_for(milliseconds(2));
  }
  EXPECT_LT(sent, kFrames);  // the rest fits into no queue
  cable.end(0).set_ready(true);
  EXPECT_TRUE(run_until([&] { return nic.received.size() == kFrames; }));
  sender.join();
  for (unsigned i = 0; i < nic.received.size(); ++i) ASSERT_EQ(number_of(nic.received[i]), i);
  partner.finish();
  EXPECT_TRUE(partner.statistics().drops.empty());
}

TEST(DgramPartner, CanGoAtAnyTime) {
  TemporaryDirectory directory;
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  {
    DgramPartner partner({"partner"}, cable.end(1),
                         spec_for(directory.file("nic"), directory.file("peer")));
    nic.begin();
  }
  EXPECT_FALSE(std::filesystem::exists(directory.file("nic")));
}

/// The text of the exception that opening throws.
template <class Exception>
std::string refusal(const std::string& local, const std::string& remote) {
  try {
    open_dgram(spec_for(local, remote));
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(DgramPartner, ReplacesAStaleSocketOnly) {
  TemporaryDirectory directory;
  const std::string path = directory.file("nic");
  { const UniqueFd gone = bind_unix_socket(path, SOCK_DGRAM); }
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto device = open_dgram(spec_for(path, directory.file("peer")));
  EXPECT_THAT(refusal<std::runtime_error>(path, directory.file("peer")),
              HasSubstr("'" + path + "' is in use"));
  const std::string file = directory.file("file");
  std::ofstream(file) << "precious";
  EXPECT_THAT(refusal<std::runtime_error>(file, directory.file("peer")),
              HasSubstr("'" + file + "' exists and is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(file));
}

TEST(DgramPartner, NamesWhatIsWrongWithItsOptions) {
  TemporaryDirectory directory;
  const std::string peer = directory.file("peer");
  EXPECT_THAT(refusal<std::invalid_argument>(std::string(108, 'x'), peer),
              HasSubstr("is too long: 108 bytes, at most 107 are possible"));
  EXPECT_THAT(refusal<std::invalid_argument>(directory.file("nic"), std::string(200, 'x')),
              HasSubstr("is too long: 200 bytes"));
  EXPECT_THAT(refusal<std::invalid_argument>(peer, peer), HasSubstr("both '" + peer + "'"));
  EXPECT_THAT(refusal<std::runtime_error>(directory.file("no/nic"), peer),
              HasSubstr("cannot bind socket"));
  Cable cable("cable");
  PartnerSpec spec;
  spec.kind = "dgram";
  spec.options = {{"local", peer}};
  EXPECT_THROW(DgramPartner({"partner"}, cable.end(1), spec), std::invalid_argument);
}

}  // namespace
}  // namespace e1000tlm::link
