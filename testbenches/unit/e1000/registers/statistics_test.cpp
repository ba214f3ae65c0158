#include "e1000tlm/e1000/registers/statistics.h"

#include <map>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace e1000tlm::e1000 {
namespace {

constexpr std::uint32_t kMax32 = 0xFFFFFFFF;
constexpr std::uint64_t kMax64 = 0xFFFFFFFFFFFFFFFF;

// Manual 13.7, entered a second time.
const std::map<std::string, std::uint32_t> kOffsets{
    {"CRCERRS", 0x4000}, {"ALGNERRC", 0x4004}, {"SYMERRS", 0x4008}, {"RXERRC", 0x400C},
    {"MPC", 0x4010},     {"SCC", 0x4014},      {"ECOL", 0x4018},    {"MCC", 0x401C},
    {"LATECOL", 0x4020}, {"COLC", 0x4028},     {"DC", 0x4030},      {"TNCRS", 0x4034},
    {"SEC", 0x4038},     {"CEXTERR", 0x403C},  {"RLEC", 0x4040},    {"XONRXC", 0x4048},
    {"XONTXC", 0x404C},  {"XOFFRXC", 0x4050},  {"XOFFTXC", 0x4054}, {"FCRUC", 0x4058},
    {"PRC64", 0x405C},   {"PRC127", 0x4060},   {"PRC255", 0x4064},  {"PRC511", 0x4068},
    {"PRC1023", 0x406C}, {"PRC1522", 0x4070},  {"GPRC", 0x4074},    {"BPRC", 0x4078},
    {"MPRC", 0x407C},    {"GPTC", 0x4080},     {"RNBC", 0x40A0},    {"RUC", 0x40A4},
    {"RFC", 0x40A8},     {"ROC", 0x40AC},      {"RJC", 0x40B0},     {"MGTPRC", 0x40B4},
    {"MGTPDC", 0x40B8},  {"MGTPTC", 0x40BC},   {"TPR", 0x40D0},     {"TPT", 0x40D4},
    {"PTC64", 0x40D8},   {"PTC127", 0x40DC},   {"PTC255", 0x40E0},  {"PTC511", 0x40E4},
    {"PTC1023", 0x40E8}, {"PTC1522", 0x40EC},  {"MPTC", 0x40F0},    {"BPTC", 0x40F4},
    {"TSCTC", 0x40F8},   {"TSCTFC", 0x40FC}};
const std::map<std::string, std::uint32_t> kOctetOffsets{
    {"GORC", 0x4088}, {"GOTC", 0x4090}, {"TOR", 0x40C0}, {"TOT", 0x40C8}};

/// Every counter that is not zero, by name.
std::map<std::string, std::uint64_t> nonzero(const Statistics& statistics) {
  std::map<std::string, std::uint64_t> result;
  for (const auto& entry : kCounterNames) {
    if (statistics[entry.counter] != 0) result[std::string(entry.name)] = statistics[entry.counter];
  }
  for (const auto& entry : kOctetCounterNames) {
    if (statistics[entry.counter] != 0) result[std::string(entry.name)] = statistics[entry.counter];
  }
  return result;
}
using Counts = std::map<std::string, std::uint64_t>;

TEST(Statistics, NamesAndOffsetsAreTheManuals) {
  std::map<std::string, std::uint32_t> offsets, octets;
  for (const auto& entry : kCounterNames)
    offsets[std::string(entry.name)] = offset_of(entry.counter);
  for (const auto& entry : kOctetCounterNames) {
    octets[std::string(entry.name)] = offset_of(entry.counter);
  }
  EXPECT_EQ(offsets, kOffsets);
  EXPECT_EQ(octets, kOctetOffsets);
}

TEST(Statistics, EachCounterReadsAtItsOffsetAndClearsItselfOnly) {
  for (const auto& entry : kCounterNames) {
    Statistics statistics;
    for (const auto& other : kCounterNames) statistics.add(other.counter, 3);
    statistics.add(entry.counter, 4);
    const std::uint32_t offset = offset_of(entry.counter);
    EXPECT_EQ(statistics.peek(offset), 7U) << entry.name;
    EXPECT_EQ(statistics.read(offset), 7U) << entry.name;
    EXPECT_EQ(statistics.read(offset), 0U) << entry.name;
    EXPECT_EQ(nonzero(statistics).size(), kCounterNames.size() - 1) << entry.name;
  }
}

TEST(Statistics, HolesAndForeignOffsetsReadZero) {
  Statistics statistics;
  for (const auto& entry : kCounterNames) statistics.add(entry.counter, 3);
  for (const auto& entry : kOctetCounterNames) statistics.add(entry.counter, 3);
  const auto before = statistics.state();
  for (std::uint32_t offset : {0x4024U, 0x402CU, 0x4044U, 0x4084U, 0x4098U, 0x409CU, 0x3FFCU,
                               0x4100U, 0x4001U, 0x4072U, 0U, kMax32}) {
    EXPECT_EQ(statistics.read(offset), 0U) << std::hex << offset;
    EXPECT_EQ(statistics.peek(offset), 0U) << std::hex << offset;
  }
  EXPECT_TRUE(statistics.state() == before);
}

TEST(Statistics, EveryDwordIsACounterAHalfOrAHole) {
  Statistics statistics;
  for (const auto& entry : kCounterNames) statistics.add(entry.counter);
  for (int i = 0; i < 2; ++i) {
    for (const auto& entry : kOctetCounterNames) statistics.add(entry.counter, kMax32);
  }
  std::set<std::uint32_t> holes;
  for (std::uint32_t offset = 0x4000; offset < 0x4100; offset += 4) {
    if (statistics.peek(offset) == 0) holes.insert(offset);
  }
  EXPECT_EQ(holes, (std::set<std::uint32_t>{0x4024, 0x402C, 0x4044, 0x4084, 0x4098, 0x409C}));
}

TEST(Statistics, PairIsClearedByItsHighHalfOnly) {
  for (const auto& entry : kOctetCounterNames) {
    Statistics statistics;
    statistics.add(entry.counter, kMax32);
    statistics.add(entry.counter, 0x12345679);  // 1_12345678h
    const std::uint32_t low = offset_of(entry.counter);
    EXPECT_EQ(statistics.read(low), 0x12345678U) << entry.name;
    EXPECT_EQ(statistics.read(low), 0x12345678U) << entry.name;
    EXPECT_EQ(statistics.peek(low + 4), 1U) << entry.name;
    EXPECT_EQ(statistics.read(low + 4), 1U) << entry.name;
    EXPECT_EQ(statistics.read(low), 0U) << entry.name;
    EXPECT_EQ(statistics.read(low + 4), 0U) << entry.name;
  }
}

TEST(Statistics, CountersStickAtTheirMaximum) {
  Statistics statistics;
  statistics.add(Counter::kMpc, kMax32 - 1);
  statistics.add(Counter::kMpc);
  EXPECT_EQ(statistics[Counter::kMpc], kMax32);
  statistics.add(Counter::kMpc);
  statistics.add(Counter::kMpc, 1000);
  EXPECT_EQ(statistics.read(0x4010), kMax32);
  EXPECT_EQ(statistics.read(0x4010), 0U);
}

TEST(Statistics, PairsStickAtTheirMaximum) {
  Statistics statistics;
  Statistics::State state;
  state.octets[static_cast<std::size_t>(OctetCounter::kTor)] = kMax64 - 100;
  statistics.set_state(state);
  statistics.on_receive_total(100);
  EXPECT_EQ(statistics[OctetCounter::kTor], kMax64);
  statistics.on_receive_total(64);
  EXPECT_EQ(statistics[OctetCounter::kTor], kMax64);
  EXPECT_EQ(statistics[Counter::kTpr], 2U);
}

TEST(Statistics, SizesFallIntoTheManualsBins) {
  const std::vector<std::pair<std::uint32_t, std::string>> cases{
      {64, "64"},     {65, "127"},    {127, "127"},   {128, "255"},   {255, "255"},
      {256, "511"},   {511, "511"},   {512, "1023"},  {1023, "1023"}, {1024, "1522"},
      {1518, "1522"}, {1522, "1522"}, {1523, "1522"}, {16384, "1522"}};
  for (const auto& [bytes, bin] : cases) {
    Statistics statistics;
    statistics.on_receive_good(FrameKind::kUnicast, bytes);
    EXPECT_EQ(nonzero(statistics), (Counts{{"GPRC", 1}, {"GORC", bytes}, {"PRC" + bin, 1}}))
        << bytes;
    statistics.reset();
    statistics.on_transmit(FrameKind::kUnicast, bytes, false);
    EXPECT_EQ(nonzero(statistics),
              (Counts{{"GPTC", 1}, {"GOTC", bytes}, {"TPT", 1}, {"TOT", bytes}, {"PTC" + bin, 1}}))
        << bytes;
  }
}

TEST(Statistics, GroupAddressesCountApart) {
  Statistics statistics;
  statistics.on_receive_good(FrameKind::kMulticast, 64);
  EXPECT_EQ(nonzero(statistics), (Counts{{"GPRC", 1}, {"GORC", 64}, {"PRC64", 1}, {"MPRC", 1}}));
  statistics.reset();
  statistics.on_receive_good(FrameKind::kBroadcast, 64);
  EXPECT_EQ(nonzero(statistics), (Counts{{"GPRC", 1}, {"GORC", 64}, {"PRC64", 1}, {"BPRC", 1}}));
  statistics.reset();
  statistics.on_transmit(FrameKind::kMulticast, 64, false);
  statistics.on_transmit(FrameKind::kBroadcast, 64, false);
  EXPECT_EQ(nonzero(statistics), (Counts{{"GPTC", 2},
                                         {"GOTC", 128},
                                         {"TPT", 2},
                                         {"TOT", 128},
                                         {"PTC64", 2},
                                         {"MPTC", 1},
                                         {"BPTC", 1}}));
}

TEST(Statistics, TransmittedPauseCountsInTotalsOnly) {
  Statistics statistics;
  statistics.on_transmit(FrameKind::kMulticast, 64, true);
  statistics.on_transmit_pause(0xFFFF);
  statistics.on_transmit(FrameKind::kMulticast, 64, true);
  statistics.on_transmit_pause(0);
  EXPECT_EQ(nonzero(statistics), (Counts{{"TPT", 2}, {"TOT", 128}, {"XOFFTXC", 1}, {"XONTXC", 1}}));
}

TEST(Statistics, ReceivedPauseCountsInTotalsOnly) {
  Statistics statistics;
  statistics.on_receive_total(64);
  statistics.on_receive_pause(1);
  statistics.on_receive_total(64);
  statistics.on_receive_pause(0);
  EXPECT_EQ(nonzero(statistics), (Counts{{"TPR", 2}, {"TOR", 128}, {"XOFFRXC", 1}, {"XONRXC", 1}}));
}

TEST(Statistics, TransmittedRuntIsNotGood) {
  Statistics statistics;
  statistics.on_transmit(FrameKind::kUnicast, 63, false);
  EXPECT_EQ(nonzero(statistics), (Counts{{"TPT", 1}, {"TOT", 63}}));
}

TEST(Statistics, MissedFrameCountsInTotals) {
  Statistics statistics;
  statistics.on_receive_total(1518);
  statistics.on_receive_missed();
  EXPECT_EQ(nonzero(statistics), (Counts{{"TPR", 1}, {"TOR", 1518}, {"MPC", 1}}));
}

TEST(Statistics, FramesAreClassifiedByLengthAndCrc) {
  struct Case {
    std::uint32_t bytes;
    bool long_packets;
    FrameFault good_crc, bad_crc;
  };
  const std::vector<Case> cases{
      {0, false, FrameFault::kUndersize, FrameFault::kFragment},
      {63, false, FrameFault::kUndersize, FrameFault::kFragment},
      {63, true, FrameFault::kUndersize, FrameFault::kFragment},
      {64, false, FrameFault::kNone, FrameFault::kCrc},
      {1522, false, FrameFault::kNone, FrameFault::kCrc},
      {1523, false, FrameFault::kOversize, FrameFault::kJabber},
      {1523, true, FrameFault::kNone, FrameFault::kCrc},
      {16384, true, FrameFault::kNone, FrameFault::kCrc},
      {16384, false, FrameFault::kOversize, FrameFault::kJabber},
      {16385, true, FrameFault::kOversize, FrameFault::kJabber},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(classify_frame(c.bytes, true, c.long_packets), c.good_crc) << c.bytes;
    EXPECT_EQ(classify_frame(c.bytes, false, c.long_packets), c.bad_crc) << c.bytes;
  }
}

TEST(Statistics, FaultsCountWhereTheManualPutsThem) {
  const std::vector<std::pair<FrameFault, Counts>> cases{
      {FrameFault::kNone, {}},
      {FrameFault::kCrc, {{"CRCERRS", 1}}},
      {FrameFault::kUndersize, {{"RLEC", 1}, {"RUC", 1}}},
      {FrameFault::kFragment, {{"RLEC", 1}, {"RFC", 1}}},
      {FrameFault::kOversize, {{"RLEC", 1}, {"ROC", 1}}},
      {FrameFault::kJabber, {{"RLEC", 1}, {"RJC", 1}, {"CRCERRS", 1}}},
  };
  for (const auto& [fault, expected] : cases) {
    Statistics statistics;
    statistics.on_receive_fault(fault);
    EXPECT_EQ(nonzero(statistics), expected) << static_cast<int>(fault);
  }
}

TEST(Statistics, FrameKindFollowsTheDestination) {
  const std::array<std::uint8_t, 6> unicast{0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  const std::array<std::uint8_t, 6> multicast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE};
  const std::array<std::uint8_t, 6> broadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  EXPECT_EQ(frame_kind(unicast.data()), FrameKind::kUnicast);
  EXPECT_EQ(frame_kind(multicast.data()), FrameKind::kMulticast);
  EXPECT_EQ(frame_kind(broadcast.data()), FrameKind::kBroadcast);
}

TEST(Statistics, ResetAndStateRestore) {
  Statistics statistics, copy;
  statistics.on_receive_total(64);
  statistics.on_transmit(FrameKind::kBroadcast, 64, false);
  EXPECT_FALSE(statistics.state() == copy.state());
  copy.set_state(statistics.state());
  EXPECT_EQ(nonzero(copy), nonzero(statistics));
  statistics.reset();
  EXPECT_TRUE(nonzero(statistics).empty());
}

TEST(Statistics, AnyOffsetMayBeRead) {
  std::mt19937 random(3);
  Statistics statistics;
  for (int i = 0; i < 100000; ++i) {
    statistics.on_receive_good(FrameKind::kUnicast, random());
    const std::uint32_t offset = i % 2 != 0 ? random() : 0x3FF0 + random() % 0x120;
    const std::uint32_t seen = statistics.peek(offset);
    ASSERT_EQ(statistics.read(offset), seen);
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
