/// Control commands and the filter that they set.

#include "e1000tlm/virtio/control_unit.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "packets.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio;
using namespace e1000tlm::virtio::net;
using Octets = std::vector<std::uint8_t>;

constexpr MacAddress kOwn{0x52, 0x54, 0, 0x12, 0x34, 0x56};
constexpr std::uint64_t kAllFeatures = feature::kControlQueue | feature::kControlRx |
                                       feature::kControlRxExtra | feature::kControlVlan |
                                       feature::kControlMac | feature::kGuestAnnounce |
                                       feature::kMultiQueue | feature::kRss | feature::kHashReport;

void add16(Octets& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value));
  to.push_back(static_cast<std::uint8_t>(value >> 8));
}
void add32(Octets& to, std::uint32_t value) {
  add16(to, value & 0xFFFF);
  add16(to, value >> 16);
}
MacAddress station(unsigned number, std::uint8_t first = 2) {
  return {
      first, 0, 0, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}
Octets frame_to(const MacAddress& destination, int vlan = -1) {
  Octets frame(60, 0);
  std::copy(destination.begin(), destination.end(), frame.begin());
  if (vlan >= 0) {
    store_be16(&frame[12], 0x8100);
    store_be16(&frame[14], static_cast<std::uint16_t>(vlan));
  }
  return frame;
}

struct Control : ::testing::Test {
  Control() { unit.set_features(kAllFeatures); }

  bool run(std::uint8_t kind, std::uint8_t command, const Octets& data) {
    Octets bytes{kind, command};
    bytes.insert(bytes.end(), data.begin(), data.end());
    return unit.execute(bytes) == control::kOk;
  }
  bool mode(std::uint8_t command, bool on) {
    return run(control::kRx, command, {static_cast<std::uint8_t>(on)});
  }
  bool tables(unsigned unicast, unsigned multicast) {
    Octets data;
    for (const bool multi : {false, true}) {
      const unsigned entries = multi ? multicast : unicast;
      add32(data, entries);
      for (unsigned i = 0; i < entries; ++i) {
        const MacAddress address = station(i, multi ? 3 : 2);
        data.insert(data.end(), address.begin(), address.end());
      }
    }
    return run(control::kMac, control::kMacTables, data);
  }
  bool passes(const MacAddress& destination, int vlan = -1) const {
    return unit.filter().accepts(frame_to(destination, vlan));
  }

  ControlUnit unit{4, kOwn};
  const MacAddress broadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
};

TEST_F(Control, EverythingPassesUntilADriverSaysNo) {
  EXPECT_TRUE(passes(station(1)));
  EXPECT_TRUE(passes(station(1, 3)));
  EXPECT_TRUE(passes(station(1), 7)) << "VLANs, too, as in QEMU";
  EXPECT_FALSE(unit.filter().accepts(Octets(13, 0)));
  EXPECT_TRUE(mode(control::kRxPromiscuous, false));
  EXPECT_FALSE(passes(station(1)));
  EXPECT_FALSE(passes(station(1, 3)));
  EXPECT_TRUE(passes(kOwn));
  EXPECT_TRUE(passes(broadcast));
  unit.reset();
  EXPECT_TRUE(passes(station(1)));
}

TEST_F(Control, ReceiveModes) {
  mode(control::kRxPromiscuous, false);
  EXPECT_TRUE(mode(control::kRxAllMulticast, true));
  EXPECT_TRUE(passes(station(1, 3)));
  EXPECT_FALSE(passes(station(1)));
  EXPECT_TRUE(mode(control::kRxNoMulticast, true));
  EXPECT_FALSE(passes(station(1, 3)));
  EXPECT_TRUE(passes(broadcast));
  EXPECT_TRUE(mode(control::kRxNoBroadcast, true));
  EXPECT_FALSE(passes(broadcast));
  EXPECT_TRUE(mode(control::kRxAllUnicast, true));
  EXPECT_TRUE(passes(station(1)));
  EXPECT_TRUE(mode(control::kRxNoUnicast, true));
  EXPECT_FALSE(passes(kOwn));
  EXPECT_TRUE(mode(control::kRxNoUnicast, false));
  EXPECT_TRUE(passes(kOwn));
  EXPECT_FALSE(mode(6, true)) << "there is no such mode";
  EXPECT_FALSE(run(control::kRx, control::kRxPromiscuous, {})) << "no byte";
  EXPECT_EQ(unit.commands(), 9U);
  EXPECT_EQ(unit.errors(), 2U);
}

TEST_F(Control, TablesHaveRoomTogether) {
  mode(control::kRxPromiscuous, false);
  ASSERT_TRUE(tables(40, 24));
  EXPECT_EQ(unit.filter().unicast_entries(), 40U);
  EXPECT_EQ(unit.filter().multicast_entries(), 24U);
  EXPECT_TRUE(passes(station(39)));
  EXPECT_FALSE(passes(station(40)));
  EXPECT_TRUE(passes(station(23, 3)));
  EXPECT_FALSE(passes(station(24, 3)));
  ASSERT_TRUE(tables(40, 25)) << "more than there is room for: all multicast passes";
  EXPECT_TRUE(passes(station(999, 3)));
  EXPECT_FALSE(passes(station(40)));
  EXPECT_EQ(unit.filter().multicast_entries(), 0U);
  ASSERT_TRUE(tables(65, 64));
  EXPECT_TRUE(unit.filter().unicast_overflow());
  EXPECT_FALSE(unit.filter().multicast_overflow()) << "the room is all its own then";
  EXPECT_TRUE(passes(station(999)));
  EXPECT_FALSE(passes(station(999, 3)));
  ASSERT_TRUE(tables(0, 0));
  EXPECT_FALSE(passes(station(999)));
}

TEST_F(Control, TablesThatAreNotWhatTheySay) {
  ASSERT_TRUE(tables(2, 1));
  const auto refused = [&](const Octets& data) {
    return !run(control::kMac, control::kMacTables, data) && unit.filter().unicast_entries() == 2 &&
           unit.filter().multicast_entries() == 1;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({0, 0, 0}));
  EXPECT_TRUE(refused({0, 0, 0, 0})) << "the second is missing";
  EXPECT_TRUE(refused({1, 0, 0, 0, 2, 2, 2, 2, 2, 0, 0, 0, 0})) << "five bytes";
  EXPECT_TRUE(refused({0, 0, 0, 0, 0, 0, 0, 0, 9})) << "something behind";
  EXPECT_TRUE(refused({0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0}));
}

TEST_F(Control, AddressIsSet) {
  mode(control::kRxPromiscuous, false);
  EXPECT_TRUE(run(control::kMac, control::kMacAddress, {2, 1, 2, 3, 4, 5}));
  EXPECT_EQ(unit.filter().address(), (MacAddress{2, 1, 2, 3, 4, 5}));
  EXPECT_TRUE(passes({2, 1, 2, 3, 4, 5}));
  EXPECT_FALSE(passes(kOwn));
  EXPECT_FALSE(run(control::kMac, control::kMacAddress, {2, 1, 2, 3, 4}));
  EXPECT_FALSE(run(control::kMac, control::kMacAddress, {2, 1, 2, 3, 4, 5, 6}));
  unit.set_address_byte(5, 0x77);
  unit.set_address_byte(6, 0x77);
  EXPECT_EQ(unit.filter().address(), (MacAddress{2, 1, 2, 3, 4, 0x77}));
  unit.reset();
  EXPECT_EQ(unit.filter().address(), kOwn);
}

TEST_F(Control, Vlans) {
  mode(control::kRxPromiscuous, false);
  EXPECT_FALSE(passes(kOwn, 42));
  EXPECT_TRUE(passes(kOwn));
  EXPECT_TRUE(run(control::kVlan, control::kVlanAdd, {42, 0}));
  EXPECT_TRUE(run(control::kVlan, control::kVlanAdd, {0xFF, 0x0F}));
  EXPECT_TRUE(passes(kOwn, 42));
  EXPECT_TRUE(passes(kOwn, 0xE000 | 42)) << "priority does not count";
  EXPECT_TRUE(passes(kOwn, 4095));
  EXPECT_FALSE(passes(station(1), 42)) << "the address does";
  EXPECT_FALSE(run(control::kVlan, control::kVlanAdd, {0, 0x10})) << "4096";
  EXPECT_FALSE(run(control::kVlan, control::kVlanAdd, {42}));
  EXPECT_TRUE(run(control::kVlan, control::kVlanRemove, {42, 0}));
  EXPECT_FALSE(passes(kOwn, 42));
  unit.set_features(kAllFeatures & ~feature::kControlVlan);
  EXPECT_TRUE(passes(kOwn, 42)) << "no filter without the feature";
}

TEST_F(Control, Announcement) {
  EXPECT_FALSE(run(control::kAnnounce, control::kAnnounceAck, {})) << "not asked";
  EXPECT_TRUE(unit.ask_for_announcement());
  EXPECT_TRUE(unit.announcement_asked());
  EXPECT_TRUE(run(control::kAnnounce, control::kAnnounceAck, {}));
  EXPECT_FALSE(unit.announcement_asked());
  unit.set_features(0);
  EXPECT_FALSE(unit.ask_for_announcement());
}

TEST_F(Control, Pairs) {
  EXPECT_EQ(unit.pairs(), 1U);
  EXPECT_TRUE(run(control::kMultiQueue, control::kPairs, {4, 0}));
  EXPECT_EQ(unit.pairs(), 4U);
  EXPECT_FALSE(run(control::kMultiQueue, control::kPairs, {5, 0}));
  EXPECT_FALSE(run(control::kMultiQueue, control::kPairs, {0, 0}));
  EXPECT_FALSE(run(control::kMultiQueue, control::kPairs, {1}));
  EXPECT_EQ(unit.pairs(), 4U);
  unit.reset();
  EXPECT_EQ(unit.pairs(), 1U);
}

Octets rss(std::uint32_t types, const std::vector<unsigned>& table, unsigned unclassified,
           unsigned pairs, unsigned key_bytes) {
  Octets data;
  add32(data, types);
  add16(data, static_cast<unsigned>(table.size() - 1));
  add16(data, unclassified);
  for (const unsigned pair : table) add16(data, pair);
  add16(data, pairs);
  data.push_back(static_cast<std::uint8_t>(key_bytes));
  data.insert(data.end(), key_bytes, 0x5A);
  return data;
}

TEST_F(Control, ReceiveSideScaling) {
  const auto set = [&](const Octets& data) {
    return run(control::kMultiQueue, control::kRssConfig, data);
  };
  EXPECT_TRUE(set(rss(hash_type::kAll, {3, 3, 3, 3}, 2, 4, 40)));
  EXPECT_EQ(unit.pairs(), 4U);
  EXPECT_TRUE(unit.hash().steering());
  EXPECT_EQ(unit.hash().pair(unit.hash()(net::test::packet({}))), 3U);
  EXPECT_EQ(unit.hash().pair(unit.hash()(frame_to(kOwn))), 2U) << "not IP";
  EXPECT_TRUE(set(rss(0, {0}, 1, 2, 0))) << "no hashes: all to one pair";
  EXPECT_EQ(unit.pairs(), 2U);
  EXPECT_EQ(unit.hash().pair(unit.hash()(net::test::packet({}))), 1U);
  EXPECT_TRUE(run(control::kMultiQueue, control::kPairs, {3, 0}));
  EXPECT_FALSE(unit.hash().steering()) << "the device's own choice again";
}

TEST_F(Control, ReceiveSideScalingThatCannotBe) {
  ASSERT_TRUE(run(control::kMultiQueue, control::kPairs, {2, 0}));
  const auto refused = [&](const Octets& data) {
    return !run(control::kMultiQueue, control::kRssConfig, data) && unit.pairs() == 2 &&
           !unit.hash().steering();
  };
  Octets good = rss(hash_type::kAll, {0, 1}, 0, 2, 40);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(refused(Octets(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  EXPECT_TRUE(refused(rss(hash_type::kAll, {0, 1, 0}, 0, 2, 40))) << "no power of two";
  EXPECT_TRUE(refused(rss(hash_type::kAll, std::vector<unsigned>(256), 0, 2, 40))) << "too long";
  EXPECT_TRUE(refused(rss(hash_type::kAll, {0, 4}, 0, 2, 40))) << "no such pair";
  EXPECT_TRUE(refused(rss(hash_type::kAll, {0, 1}, 4, 2, 40)));
  EXPECT_TRUE(refused(rss(hash_type::kAll, {0, 1}, 0, 5, 40)));
  EXPECT_TRUE(refused(rss(hash_type::kAll, {0, 1}, 0, 0, 40)));
  EXPECT_TRUE(refused(rss(hash_type::kAll, {0, 1}, 0, 2, 41))) << "key";
  EXPECT_TRUE(refused(rss(hash_type::kAll, {0, 1}, 0, 2, 0))) << "hashes without key";
  EXPECT_TRUE(refused(rss(hash_type::kAll + 1, {0, 1}, 0, 2, 40))) << "unknown hash";
  EXPECT_TRUE(run(control::kMultiQueue, control::kRssConfig, good));
}

TEST_F(Control, HashesWithoutSteering) {
  Octets data;
  add32(data, hash_type::kTcp4);
  data.insert(data.end(), 8, 0xEE);
  data.push_back(40);
  data.insert(data.end(), 40, 0x5A);
  EXPECT_TRUE(run(control::kMultiQueue, control::kHashConfig, data));
  EXPECT_TRUE(unit.hash().active());
  EXPECT_FALSE(unit.hash().steering());
  EXPECT_EQ(unit.hash()(net::test::packet({})).report, HashReport::kTcp4);
  data.pop_back();
  EXPECT_FALSE(run(control::kMultiQueue, control::kHashConfig, data));
}

TEST_F(Control, CommandsNeedTheirFeature) {
  unit.set_features(feature::kControlQueue);
  unit.set_features(0);
  EXPECT_FALSE(mode(control::kRxPromiscuous, false));
  EXPECT_FALSE(mode(control::kRxAllUnicast, true));
  EXPECT_FALSE(tables(0, 0));
  EXPECT_FALSE(run(control::kMac, control::kMacAddress, {2, 1, 2, 3, 4, 5}));
  EXPECT_FALSE(run(control::kVlan, control::kVlanAdd, {1, 0}));
  EXPECT_FALSE(run(control::kMultiQueue, control::kPairs, {1, 0}));
  EXPECT_FALSE(run(control::kMultiQueue, control::kRssConfig, rss(0, {0}, 0, 1, 0)));
  EXPECT_TRUE(passes(station(1)));
}

TEST_F(Control, CommandsThatAreNone) {
  EXPECT_EQ(unit.execute({}), control::kError);
  EXPECT_EQ(unit.execute(Octets{control::kRx}), control::kError);
  EXPECT_FALSE(run(5, 0, {0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(run(control::kMultiQueue, 3, {1, 0}));
  EXPECT_FALSE(run(0xFF, 0xFF, Octets(100, 0xFF)));
}

/// Memory in which a driver resets the device while that reads.
struct ResettingMemory : MappedMemory {
  explicit ResettingMemory(ControlUnit& its_unit) : unit(its_unit) {}
  bool read(std::uint64_t address, Bytes to) override {
    unit.reset();
    unit.set_features(kAllFeatures);
    return MappedMemory::read(address, to);
  }
  ControlUnit& unit;
};

TEST_F(Control, CommandsFromBeforeAResetAreNotCarriedOut) {
  Octets bytes{control::kMultiQueue, control::kPairs, 2, 0, 0xEE};
  ResettingMemory memory(unit);
  memory.add(0x1000, bytes);
  DeviceQueue::Chain chain;
  chain.readable = {{0x1000, 4}};
  chain.readable_bytes = 4;
  chain.writable = {{0x1004, 1}};
  chain.writable_bytes = 1;
  EXPECT_TRUE(unit.serve(memory, chain));
  EXPECT_EQ(unit.pairs(), 1U);
  EXPECT_EQ(bytes[4], 0xEE) << "nor answered";
}

TEST_F(Control, ServesBuffersInMemory) {
  Octets bytes(64, 0xEE);
  MappedMemory memory;
  memory.add(0x1000, bytes);
  bytes[0] = control::kRx;
  bytes[1] = control::kRxPromiscuous;
  bytes[10] = 0;
  DeviceQueue::Chain chain;
  chain.readable = {{0x1000, 1}, {0x1001, 1}, {0x100A, 1}};
  chain.readable_bytes = 3;
  chain.writable = {{0x1020, 1}};
  chain.writable_bytes = 1;
  EXPECT_EQ(ControlUnit::problem(chain), nullptr);
  EXPECT_TRUE(unit.serve(memory, chain));
  EXPECT_EQ(bytes[0x20], control::kOk);
  EXPECT_FALSE(unit.filter().modes().promiscuous);
  chain.readable[2].address = 0x5000;
  EXPECT_FALSE(unit.serve(memory, chain)) << "not in memory";
  chain.writable_bytes = 0;
  EXPECT_STREQ(ControlUnit::problem(chain), "a control command has no room for its answer");
  chain.readable_bytes = 1;
  EXPECT_STREQ(ControlUnit::problem(chain), "a control command is shorter than its header");
}

}  // namespace
