// The vhost-user front-end on its own, without a simulation, against good and hostile back-ends.
#include "e1000tlm/link/host/vhost_user_device.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/link/host/vhost_user_partner.h"
#include "testbenches/unit/link/host/vhost_back_end.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Outcome = HostDevice::Outcome;

Octets frame(std::size_t size, std::uint8_t first = 1) {
  Octets bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i * 7);
  return bytes;
}

/// A device that listens, and back-ends that come to it.
struct Bench {
  explicit Bench(const std::string& more = "")
      : device(vhost_user_config(
            PartnerSpec::parse("vhost-user:path=" + directory.file("vhost") + ",server" + more))) {}

  /// Serves both sides until nothing happens any more.
  void settle(VhostBackEnd& back_end) {
    for (int quiet = 0; quiet < 3;) {
      const std::size_t before = back_end.log.size();
      read();
      back_end.serve();
      read();
      quiet = back_end.log.size() == before ? quiet + 1 : 0;
    }
  }
  /// Takes everything that the device has now.
  void read() {
    for (;;) {
      const HostDevice::ReadResult result = device.read();
      if (result.outcome == Outcome::kDone) {
        frames.emplace_back(result.frame.begin(), result.frame.end());
      } else if (result.outcome == Outcome::kDropped) {
        drops[result.reason] += result.frames;
      } else {
        outcome = result.outcome;
        return;
      }
    }
  }
  Outcome write(const Octets& bytes) { return device.write(bytes, milliseconds(0)).outcome; }
  std::string path() const { return directory.file("vhost"); }

  TemporaryDirectory directory;
  VhostUserDevice device;
  std::vector<Octets> frames;
  std::map<std::string, std::uint64_t> drops;
  Outcome outcome = Outcome::kAgain;
};

void pass_frames(Bench& bench, VhostBackEnd& back_end, std::size_t pair = 0) {
  for (const std::size_t size : {60U, 1514U, 9000U, 16384U}) {
    EXPECT_EQ(bench.write(frame(size)), Outcome::kDone);
    Octets got;
    for (std::size_t p = 0; got.empty() && p <= pair; ++p) got = back_end.take(p);
    EXPECT_EQ(got, frame(size)) << size;
    bench.frames.clear();
    EXPECT_TRUE(back_end.give(frame(size, 9), pair));
    bench.read();
    EXPECT_THAT(bench.frames, ElementsAre(frame(size, 9))) << size;
  }
}

TEST(VhostUserDevice, FramesPassBothWaysWithAllKindsOfBackEnds) {
  const std::uint64_t least = 1;  // nothing that we use
  for (const std::uint64_t without :
       {std::uint64_t{0}, vhost::net_feature::kMergeableBuffers, virtio::ring_feature::kVersion1,
        virtio::ring_feature::kEventIndex, vhost::feature::kProtocolFeatures, ~least}) {
    Bench bench;
    VhostBackEnd back_end(bench.path());
    back_end.features &= ~without;
    bench.settle(back_end);
    ASSERT_TRUE(bench.device.running()) << without;
    ASSERT_TRUE(back_end.running()) << without;
    pass_frames(bench, back_end);
  }
}

TEST(VhostUserDevice, OptionsSayWhatIsAskedFor) {
  const auto agreed = [](const std::string& more) {
    Bench bench(more);
    VhostBackEnd back_end(bench.path());
    back_end.features |= vhost::net_feature::kMtu;
    bench.settle(back_end);
    pass_frames(bench, back_end);
    return back_end.agreed();
  };
  const std::uint64_t usual = agreed("");
  EXPECT_EQ(usual, virtio::ring_feature::kVersion1 | virtio::ring_feature::kEventIndex |
                       vhost::net_feature::kMergeableBuffers | vhost::feature::kProtocolFeatures);
  EXPECT_EQ(agreed(",mrg_rxbuf=off"), usual & ~vhost::net_feature::kMergeableBuffers);
  EXPECT_EQ(agreed(",event_idx=off"), usual & ~virtio::ring_feature::kEventIndex);
  EXPECT_EQ(agreed(",mtu=1500"), usual | vhost::net_feature::kMtu);
  EXPECT_EQ(agreed(",offload=on"),
            usual | vhost::net_feature::kGuestCsum | vhost::net_feature::kGuestTso4);
}

TEST(VhostUserDevice, AFullRingPushesBackAndNothingIsLost) {
  for (const char* more : {",queue_size=8", ",queue_size=8,event_idx=off"}) {
    Bench bench(more);
    VhostBackEnd back_end(bench.path());
    bench.settle(back_end);
    std::uint8_t sent = 0, taken = 0;
    for (int round = 0; round < 100; ++round) {
      while (bench.write(frame(60, sent)) == Outcome::kDone) ++sent;
      EXPECT_EQ(static_cast<std::uint8_t>(sent - taken), 8);
      for (int i = 0; i < 3; ++i) ASSERT_EQ(back_end.take(), frame(60, taken++));
    }
    std::uint8_t given = 0;
    while (back_end.give(frame(60, given))) ++given;
    EXPECT_EQ(given, 8);
    bench.read();
    EXPECT_EQ(bench.frames.size(), 8U);
    EXPECT_TRUE(back_end.give(frame(60)));
  }
}

TEST(VhostUserDevice, AWriterThatMayWaitIsToldOfRoom) {
  Bench bench(",queue_size=8");
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  while (bench.write(frame(60)) == Outcome::kDone) {
  }
  std::thread later([&] {
    std::this_thread::sleep_for(milliseconds(50));
    back_end.take();
  });
  EXPECT_EQ(bench.device.write(frame(60), milliseconds(20'000)).outcome, Outcome::kDone);
  later.join();
}

TEST(VhostUserDevice, FlowsKeepToTheirPair) {
  Bench bench(",queues=4");
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  ASSERT_TRUE(back_end.running());
  std::map<std::uint8_t, std::vector<std::size_t>> pairs;
  for (int round = 0; round < 3; ++round) {
    for (std::uint8_t flow = 0; flow < 32; ++flow) {
      Octets bytes = frame(60);
      bytes[11] = flow;
      ASSERT_EQ(bench.write(bytes), Outcome::kDone);
      for (std::size_t pair = 0; pair < 4; ++pair) {
        if (back_end.take(pair) == bytes) pairs[flow].push_back(pair);
      }
    }
  }
  std::map<std::size_t, int> used;
  for (const auto& [flow, where] : pairs) {
    ASSERT_EQ(where.size(), 3U);
    EXPECT_TRUE(where[0] == where[1] && where[1] == where[2]) << int{flow};
    ++used[where[0]];
  }
  EXPECT_EQ(used.size(), 4U) << "and spread";
  for (std::size_t pair = 0; pair < 4; ++pair) {
    EXPECT_TRUE(back_end.give(frame(100, static_cast<std::uint8_t>(pair)), pair));
    EXPECT_TRUE(back_end.give(frame(100, static_cast<std::uint8_t>(pair)), pair));
  }
  bench.read();
  EXPECT_EQ(bench.frames.size(), 8U);
  EXPECT_NE(bench.frames[0], bench.frames[1]) << "fairly, one ring after the other";
}

TEST(VhostUserDevice, AFramesQueueIsItsPair) {
  Bench bench(",queues=4");
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  EXPECT_EQ(bench.device.queues(), 4U);
  for (const std::uint16_t pair : {3, 0, 2, 1}) {
    const auto number = static_cast<std::uint8_t>(pair);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(bench.device.write_by(pair, frame(60, number), milliseconds(0)).outcome,
                Outcome::kDone);
      EXPECT_EQ(back_end.take(pair), frame(60, number));
    }
    EXPECT_TRUE(back_end.give(frame(80, number), pair));
    const HostDevice::ReadResult result = bench.device.read();
    ASSERT_EQ(result.outcome, Outcome::kDone);
    EXPECT_EQ(result.queue, pair);
  }
  // No such pair: one of those that there are.
  EXPECT_EQ(bench.device.write_by(4, frame(60), milliseconds(0)).outcome, Outcome::kDone);
  std::size_t found = 0;
  for (std::size_t pair = 0; pair < 4; ++pair) found += back_end.take(pair).empty() ? 0 : 1;
  EXPECT_EQ(found, 1U);
}

TEST(VhostUserDevice, ABackEndThatComesBackFindsEverythingInOrder) {
  Bench bench;
  EXPECT_EQ(bench.device.write(frame(60), milliseconds(0)).reason, std::string("no_peer"));
  for (int round = 0; round < 3; ++round) {
    VhostBackEnd back_end(bench.path());
    bench.settle(back_end);
    pass_frames(bench, back_end);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(bench.write(frame(60)), Outcome::kDone);
    EXPECT_EQ(back_end.take(), frame(60));
    bench.frames.clear();
    EXPECT_TRUE(back_end.give(frame(77)));
    bench.read();
    EXPECT_THAT(bench.frames, ElementsAre(frame(77)));
    back_end.hang_up();
    bench.read();
    EXPECT_FALSE(bench.device.running());
    EXPECT_EQ(bench.drops["back_end_gone"], 4U * static_cast<unsigned>(round + 1));
  }
  EXPECT_THAT(bench.device.warnings(), ElementsAre()) << "going is no fault";
}

TEST(VhostUserDevice, FramesWaitWhileABackEndMakesUpItsMind) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.read();
  EXPECT_EQ(bench.write(frame(60)), Outcome::kAgain);
  bench.settle(back_end);
  EXPECT_EQ(bench.write(frame(60)), Outcome::kDone);
}

TEST(VhostUserDevice, StopsTheRingsAtTheEnd) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  ASSERT_EQ(bench.write(frame(60)), Outcome::kDone);
  ASSERT_EQ(bench.write(frame(60)), Outcome::kDone);
  back_end.take();
  std::thread serving([&] {
    while (back_end.serve()) std::this_thread::sleep_for(milliseconds(1));
  });
  bench.device.shut_down();
  serving.join();
  EXPECT_EQ(bench.device.unsent(), 1U);
  const auto n = back_end.log.size();
  ASSERT_GT(n, 5U);
  EXPECT_EQ(back_end.log[n - 5], "SET_VRING_ENABLE index=0 num=0 need_reply");
  EXPECT_EQ(back_end.log[n - 3], "GET_VRING_BASE index=0 num=0");
  EXPECT_EQ(back_end.log[n - 2], "GET_VRING_BASE index=1 num=0");
  EXPECT_EQ(back_end.log[n - 1], "SET_STATUS 0x0 need_reply");
}

TEST(VhostUserDevice, ClientsAgreeBeforeTheyBegin) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("vhost"), log = directory.file("log");
  const UniqueFd listener = listen_on({path, "", ""});
  std::thread serving([&] {
    UniqueFd connection;
    while (!connection) connection = accept_from(listener.get());
    VhostBackEnd back_end(std::move(connection));
    while (back_end.serve()) std::this_thread::sleep_for(milliseconds(1));
  });
  {
    VhostUserDevice device(
        vhost_user_config(PartnerSpec::parse("vhost-user:path=" + path + ",log=" + log)));
    EXPECT_TRUE(device.running());
    device.shut_down();
  }
  serving.join();
  std::ifstream in(log);
  std::string first, second;
  std::getline(in, first);
  std::getline(in, second);
  EXPECT_EQ(first, "> SET_OWNER");
  EXPECT_EQ(second, "> GET_FEATURES");
}

template <class Exception>
std::string refusal(const std::string& options) {
  PartnerSpec spec = PartnerSpec::parse("vhost-user:" + options);
  try {
    VhostUserDevice device(vhost_user_config(spec));
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(VhostUserDevice, NamesWhatIsWrongWithItsOptions) {
  using Invalid = std::invalid_argument;
  const TemporaryDirectory directory;
  const std::string path = directory.file("vhost");
  EXPECT_THAT(refusal<Invalid>(""), HasSubstr("needs the option path="));
  EXPECT_THAT(refusal<Invalid>("path=x,fd=3"), HasSubstr("path=x: does not go with fd="));
  EXPECT_THAT(refusal<Invalid>("path=x,wait=on"), HasSubstr("wait=on: goes with server=on"));
  EXPECT_THAT(refusal<Invalid>("path=x,server,reconnect=1"), HasSubstr("does not go with server"));
  EXPECT_THAT(refusal<Invalid>("path=x,queue_size=100"), HasSubstr("is no power of two"));
  EXPECT_THAT(refusal<Invalid>("path=x,queues=0"), HasSubstr("queues=0"));
  EXPECT_THAT(refusal<Invalid>("path=x,mtu=1"), HasSubstr("mtu=1"));
  EXPECT_THAT(refusal<std::runtime_error>("path=" + path), HasSubstr("cannot connect to"));
  EXPECT_THAT(refusal<std::runtime_error>("server,path=" + path + ",log=/no/such/file"),
              HasSubstr("cannot write '/no/such/file'"));
}

TEST(VhostUserDevice, ClientsSayWhyTheirBackEndIsOfNoUse) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("vhost");
  const UniqueFd listener = listen_on({path, "", ""});
  const auto with = [&](const std::function<void(VhostBackEnd&)>& change) {
    std::thread serving([&] {
      UniqueFd connection;
      while (!connection) connection = accept_from(listener.get());
      VhostBackEnd back_end(std::move(connection));
      change(back_end);
      while (back_end.serve()) std::this_thread::sleep_for(milliseconds(1));
    });
    const std::string why = refusal<std::runtime_error>("queues=2,path=" + path);
    serving.join();
    return why;
  };
  EXPECT_EQ(with([](VhostBackEnd& b) { b.pairs = 1; }),
            "the back-end has 1 pairs of queues, not 2");
  // Before our first message has left, or after it.
  EXPECT_THAT(with([](VhostBackEnd& b) { b.hang_up(); }),
              ::testing::AnyOf("the back-end has gone",
                               "the back-end has gone instead of answering GET_FEATURES"));
}

// --- hostile back-ends ---

/// A good back-end comes after a bad one, and finds a front-end in order.
void expect_unharmed(Bench& bench) {
  VhostBackEnd good(bench.path());
  bench.settle(good);
  ASSERT_TRUE(bench.device.running());
  pass_frames(bench, good);
  good.hang_up();
  bench.read();
}

TEST(VhostUserHostile, HangsUpAfterEveryByte) {
  Bench bench;
  bool whole = false;
  for (std::size_t bytes = 0; !whole; ++bytes) {
    VhostBackEnd back_end(bench.path());
    back_end.most_bytes = bytes;
    bench.settle(back_end);
    whole = bench.device.running();
    ASSERT_LT(bytes, 2000U);
    back_end.hang_up();
    bench.read();
    ASSERT_FALSE(bench.device.running());
  }
  expect_unharmed(bench);
  EXPECT_THAT(bench.device.warnings(),
              ElementsAre(HasSubstr("has gone instead of answering GET_FEATURES")));
}

TEST(VhostUserHostile, SendsGarbageAndEndlessLengths) {
  Bench bench;
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same every time
  for (int round = 0; round < 50; ++round) {
    VhostBackEnd back_end(bench.path());
    Octets garbage(1 + random() % 300);
    for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random());
    if (round % 3 == 0) {  // a header of a reply that never ends
      garbage = vhost::encode_reply({1, false, false, 0}, vhost::Number{1});
      store_le32(garbage.data() + 8, round % 2 == 0 ? 0xFFFF'FFFF : vhost::kMostPayload);
      garbage.resize(100'000);
    }
    bench.read();
    back_end.raw(garbage);
    for (int i = 0; i < 5; ++i) bench.read();
    EXPECT_FALSE(bench.device.running());
    back_end.hang_up();
    bench.read();
  }
  EXPECT_FALSE(bench.device.warnings().empty());
  expect_unharmed(bench);
}

TEST(VhostUserHostile, AnswersEverythingWronglyInTurn) {
  const auto with = [](const std::function<bool(const vhost::Header&, vhost::Message&)>& forge) {
    Bench bench;
    {
      VhostBackEnd back_end(bench.path());
      back_end.forge = forge;
      bench.settle(back_end);
      EXPECT_FALSE(bench.device.running());
    }
    bench.read();
    expect_unharmed(bench);
    const auto warnings = bench.device.warnings();
    return warnings.empty() ? std::string("no warning") : warnings.front();
  };
  using vhost::Request;
  const auto is = [](const vhost::Header& header, Request request) {
    return header.request == static_cast<std::uint32_t>(request);
  };
  EXPECT_THAT(with([&](const auto& to, auto& bytes) {
                if (is(to, Request::kSetMemTable)) bytes[12] = 1;
                return true;
              }),
              HasSubstr("the back-end refuses SET_MEM_TABLE"));
  EXPECT_THAT(with([&](const auto& to, auto& bytes) {
                if (is(to, Request::kGetFeatures)) bytes[4] = 1;
                return true;
              }),
              HasSubstr("reply to GET_FEATURES is not marked as one"));
  EXPECT_THAT(with([&](const auto& to, auto& bytes) {
                if (is(to, Request::kGetFeatures)) bytes[0] = 15;
                return true;
              }),
              HasSubstr("reply to GET_FEATURES is one to GET_PROTOCOL_FEATURES"));
  EXPECT_THAT(with([&](const auto& to, auto& bytes) {
                if (is(to, Request::kGetQueueNum)) bytes.insert(bytes.end(), 8, 0), bytes[8] = 16;
                return true;
              }),
              HasSubstr("reply to GET_QUEUE_NUM has a payload of 16 bytes"));
  EXPECT_THAT(with([&](const auto&, auto& bytes) {
                bytes.insert(bytes.end(), bytes.begin(), bytes.end());  // everything twice
                return true;
              }),
              HasSubstr("sends what was not asked for"));
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

TEST(VhostUserHostile, DescriptorsBesideAnswersAreClosed) {
  Bench bench;
  const std::size_t before = open_descriptors();
  for (const int count : {1, 8}) {
    VhostBackEnd back_end(bench.path());
    back_end.lying_descriptors = count;
    bench.settle(back_end);
    EXPECT_FALSE(bench.device.running());
  }
  bench.read();
  EXPECT_EQ(open_descriptors(), before);
  expect_unharmed(bench);
}

/// What a back-end has done to its rings, and what the front-end says of it.
std::string after(const std::function<void(VhostBackEnd&)>& harm, const std::string& more = "") {
  Bench bench(more);
  {
    VhostBackEnd back_end(bench.path());
    bench.settle(back_end);
    EXPECT_EQ(bench.write(frame(60)), Outcome::kDone);
    harm(back_end);
    for (int i = 0; i < 300 && bench.device.running(); ++i) {
      bench.write(frame(60));
      bench.read();
    }
    EXPECT_FALSE(bench.device.running());
    EXPECT_GT(bench.drops["back_end_gone"], 0U) << "what it had is counted";
  }
  bench.read();
  expect_unharmed(bench);
  const auto warnings = bench.device.warnings();
  return warnings.empty() ? "no warning" : warnings.front();
}

std::uint8_t* used(VhostBackEnd& back_end, std::size_t ring, std::size_t offset) {
  return back_end.memory_at(back_end.layout(ring).used + offset, 8).data();
}

TEST(VhostUserHostile, WritesNonsenseIntoRings) {
  for (const std::size_t ring : {0U, 1U}) {
    EXPECT_THAT(after([&](VhostBackEnd& b) { store_le16(used(b, ring, 2), 0x7777); }),
                HasSubstr("breaks a ring: an index is further ahead"));
    EXPECT_THAT(after([&](VhostBackEnd& b) {
                  store_le32(used(b, ring, 4), 0xFFFF'FFFF);
                  store_le16(used(b, ring, 2), 1);
                }),
                HasSubstr("breaks a ring: a chain came back that was not there"));
  }
  EXPECT_THAT(after([](VhostBackEnd& b) {
                store_le32(used(b, 0, 4), 0);
                store_le32(used(b, 0, 8), 0xFFFF'FFFF);
                store_le16(used(b, 0, 2), 1);
              }),
              HasSubstr("breaks a ring: more was written than there was room for"));
  EXPECT_THAT(after([](VhostBackEnd& b) {
                store_le32(used(b, 0, 4), 0);
                store_le32(used(b, 0, 8), 5);
                store_le16(used(b, 0, 2), 1);
              }),
              HasSubstr("a received frame has no whole header"));
  for (const std::uint16_t buffers : {257, 0xFFFF}) {
    EXPECT_THAT(after([&](VhostBackEnd& b) {
                  b.buffers_told = buffers;
                  b.give(frame(60));
                }),
                HasSubstr("a received frame has an impossible number of buffers"));
  }
}

TEST(VhostUserHostile, FramesWithoutEndAndHalfFrames) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  // 100 buffers of 2 KiB are no frame; all of them come back.
  back_end.buffers_told = 100;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(back_end.give(frame(2000)));
  bench.read();
  EXPECT_EQ(bench.drops["too_long"], 1U);
  // The second of two buffers comes later, or never.
  back_end.buffers_told = 2;
  ASSERT_TRUE(back_end.give(frame(500)));
  bench.read();
  EXPECT_TRUE(bench.frames.empty());
  back_end.hang_up();
  bench.read();
  expect_unharmed(bench);
}

TEST(VhostUserHostile, WorkThatWasNotLeftToUs) {
  const Octets needs_checksum = {1, 0, 0, 0, 0, 0, 34, 0, 6, 0};
  Octets udp(60);
  udp[12] = 8;
  udp[14] = 0x45;
  udp[23] = 17;
  for (const bool allowed : {false, true}) {
    Bench bench(allowed ? ",offload=on" : "");
    VhostBackEnd back_end(bench.path());
    bench.settle(back_end);
    back_end.give(udp, 0, needs_checksum);
    bench.read();
    EXPECT_EQ(bench.drops["offload"], allowed ? 0U : 1U);
    ASSERT_EQ(bench.frames.size(), allowed ? 1U : 0U);
    if (allowed) {
      EXPECT_NE(bench.frames[0][40] | bench.frames[0][41], 0) << "it is summed";
    }
    Octets beyond = needs_checksum;
    beyond[6] = 0xFF;
    back_end.give(udp, 0, beyond);
    bench.read();
    EXPECT_EQ(bench.drops["offload"], allowed ? 1U : 2U);
  }
}

/// A TCP packet with so much payload, and the header that leaves its segmentation to us.
Octets long_packet(std::size_t payload) {
  Octets bytes = frame(14 + 20 + 20 + payload);
  store_be16(&bytes[12], 0x0800);
  bytes[14] = 0x45;
  store_be16(&bytes[16], static_cast<std::uint16_t>(bytes.size() - 14));
  bytes[20] = bytes[21] = 0;
  bytes[23] = 6;
  bytes[46] = 0x50;
  return bytes;
}

TEST(VhostUserDevice, LongPacketsAreCutIntoSegments) {
  Octets header = {1, 1, 54, 0, 0, 0, 34, 0, 16, 0};
  store_le16(&header[4], 1460);
  for (const char* more : {",offload=on", ",offload=on,mrg_rxbuf=off"}) {
    Bench bench(more);
    VhostBackEnd back_end(bench.path());
    bench.settle(back_end);
    ASSERT_TRUE(back_end.running());
    const Octets packet = long_packet(60'000);
    ASSERT_TRUE(back_end.give(packet, 0, header)) << more;
    bench.read();
    ASSERT_EQ(bench.frames.size(), 42U) << more;  // 41 segments of 1460 bytes are 59860
    std::size_t at = 54;
    for (const Octets& segment : bench.frames) {
      EXPECT_TRUE(std::equal(segment.begin() + 54, segment.end(),
                             packet.begin() + static_cast<std::ptrdiff_t>(at)));
      at += segment.size() - 54;
    }
    EXPECT_EQ(at, packet.size());
  }
}

TEST(VhostUserDevice, TheOnlyBackEndGoesForGood) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  std::thread serving([&] {
    VhostBackEnd back_end{UniqueFd(ends[1])};
    while (!back_end.running() && back_end.serve()) std::this_thread::sleep_for(milliseconds(1));
  });
  VhostUserDevice device(
      vhost_user_config(PartnerSpec::parse("vhost-user:fd=" + std::to_string(ends[0]))));
  EXPECT_EQ(device.write(frame(60), milliseconds(0)).outcome, Outcome::kDone);
  serving.join();
  const HostDevice::ReadResult lost = device.read();
  EXPECT_EQ(lost.outcome, Outcome::kDropped);
  EXPECT_STREQ(lost.reason, "back_end_gone");
  EXPECT_EQ(device.read().outcome, Outcome::kClosed);
  EXPECT_EQ(device.write(frame(60), milliseconds(0)).outcome, Outcome::kClosed);
  EXPECT_EQ(device.why_closed(), "the back-end has gone");
}

}  // namespace
}  // namespace e1000tlm::link
