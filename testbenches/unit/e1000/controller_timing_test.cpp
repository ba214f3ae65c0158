/// The silicon's own times: the named constants of ControllerTiming at work.

#include "e1000tlm/e1000/receive/receive_engine.h"
#include "e1000tlm/e1000/timing.h"
#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

class SiliconTiming : public ::testing::TestWithParam<Time> {};

RigOptions options_with(const ControllerTiming& timing, Time quantum) {
  RigOptions options;
  options.quantum = quantum;
  options.adjust = [timing](ControllerConfig& config) { config.timing = timing; };
  return options;
}

/// When each of `count` small frames, sent back to back, reached its descriptor.
std::vector<Time> receive(NicRig& rig, int count) {
  std::vector<Time> stored;
  rig.nic.receive_descriptors().attach(
      [&](const ReceiveDescriptorEvent& event) { stored.push_back(event.at); });
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(64);
    for (int i = 0; i < count; ++i) rig.far.send(NicRig::frame(60));
    NicRig::wait_for(us(100));
  });
  return stored;
}

TEST_P(SiliconTiming, AReceivedFrameTakesTheReceivePathForItsTime) {
  ControllerTiming timing;
  timing.receive_occupancy = ns(1470);
  NicRig rig(options_with(timing, GetParam()));
  const std::vector<Time> stored = receive(rig, 20);
  ASSERT_EQ(stored.size(), 20U);
  // The first waits for nothing but its accesses.
  for (std::size_t i = 1; i < stored.size(); ++i) {
    const Time fetch = i == 1 ? kMemoryLatency : kTimeZero;  // was in the first one's time
    EXPECT_EQ(stored[i] - stored[i - 1] + fetch, ns(1470)) << i;
  }
}

TEST_P(SiliconTiming, OccupancyShorterThanTheBusCostsNothing) {
  ControllerTiming timing;
  timing.receive_occupancy = ns(2 * 60);
  NicRig rig(options_with(timing, GetParam()));
  const std::vector<Time> stored = receive(rig, 20);
  ASSERT_EQ(stored.size(), 20U);
  for (std::size_t i = 1; i < stored.size(); ++i) {
    const Time fetch = i == 1 ? kMemoryLatency : kTimeZero;
    EXPECT_EQ(stored[i] - stored[i - 1] + fetch, ns(672)) << i;  // as they come
  }
}

TEST_P(SiliconTiming, TransmitOverheadIsInSeriesWithTheBus) {
  ControllerTiming timing;
  timing.transmit_overhead = ns(900);
  timing.descriptor_burst = 2;
  NicRig rig(options_with(timing, GetParam()));
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(32);
    for (std::uint32_t i = 0; i < 16; ++i) rig.put_legacy(i, NicRig::frame(60));
    rig.write(reg::kTdt, 16);
    NicRig::wait_for(us(100));
  });
  ASSERT_EQ(rig.far.received.size(), 16U);
  for (std::size_t i = 1; i < 16; ++i) {
    // Data and write-back each; a fetch for every second frame.
    const int accesses = i % 2 == 0 ? 3 : 2;
    EXPECT_EQ(rig.far.received[i].first_bit - rig.far.received[i - 1].first_bit,
              ns(900) + accesses * kMemoryLatency)
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(BothAccuracies, SiliconTiming, ::testing::Values(kTimeZero, us(50)),
                         [](const auto& info) { return quantum_name(info.param); });

TEST(TimingTable, NamesEveryConstantOnce) {
  std::size_t bytes = 0;
  for (const TimingRow& row : timing_rows()) {
    EXPECT_NE(row.time != nullptr, row.count != nullptr) << row.name;
    EXPECT_FALSE(row.where.empty()) << row.name;
    bytes += sizeof(Time);  // a count is padded to as much
  }
  EXPECT_EQ(bytes, sizeof(ControllerTiming));
}

TEST(TimingTable, KnowsItsSets) {
  ASSERT_NE(find_timing("8254x"), nullptr);
  ASSERT_NE(find_timing("82543"), nullptr);
  EXPECT_EQ(find_timing("82543")->timing.receive_occupancy, ns(1470));
  EXPECT_EQ(find_timing("82540"), nullptr);
}

}  // namespace
}  // namespace e1000tlm::e1000::test
