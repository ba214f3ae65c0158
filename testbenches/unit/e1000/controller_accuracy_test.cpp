/// Loosely and approximately timed runs of the same traffic: same frames and counters, times equal
/// within a quantum.

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

struct Outcome {
  std::vector<Time> sent;                         // first bits at the far end
  std::vector<std::vector<std::uint8_t>> frames;  // there
  std::uint32_t rdh = 0;
  Statistics::State statistics;
  Time done{};
};

/// 200 frames of many sizes out and 100 in, uncontended. In a process of its own: SystemC
/// elaborates once, so the two accuracies are compared to the same computed figures.
Outcome run_traffic(Time quantum) {
  NicRig rig(Part::k82540em, quantum);
  Outcome outcome;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(256);
    rig.setup_rx(128);
    const Time start = sc_now();
    for (std::uint32_t i = 0; i < 200; ++i) rig.put_legacy(i, NicRig::frame(60 + i * 5));
    rig.write(reg::kTdt, 200);
    for (int i = 0; i < 100; ++i) rig.far.send(NicRig::frame(60));
    NicRig::wait_until([&] { return rig.tx_done(199) && rig.rx_done(99); }, ms(10), ns(10));
    outcome.done = sc_now() - start;
    NicRig::wait_for(ms(3));
    outcome.rdh = rig.read(reg::kRdh);
    outcome.statistics = rig.nic.statistics().state();
    for (std::size_t i = 0; i < rig.far.received.size(); ++i) {
      outcome.sent.push_back(rig.far.received[i].first_bit - start);
      outcome.frames.push_back(rig.far.bytes(i));
    }
  });
  return outcome;
}

class Accuracy : public ::testing::TestWithParam<Time> {};

TEST_P(Accuracy, SameFramesCountersAndTimes) {
  const Time quantum = GetParam();
  const Outcome outcome = run_traffic(quantum);
  ASSERT_EQ(outcome.frames.size(), 200U);
  EXPECT_EQ(outcome.rdh, 100U);
  Time wire = 2 * kMemoryLatency + kPropagation;
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(outcome.frames[i], NicRig::frame(60 + i * 5));
    // Fetch and data take two accesses; then the wire, which never runs dry, sets the pace.
    EXPECT_GE(outcome.sent[i], wire);
    EXPECT_LE(outcome.sent[i], wire + quantum) << i;
    wire += wire_time(60 + i * 5) + ns(96);
    bytes += 64 + i * 5;
  }
  const auto& s = outcome.statistics;
  EXPECT_EQ(s.counters[static_cast<std::size_t>(Counter::kGptc)], 200U);
  EXPECT_EQ(s.counters[static_cast<std::size_t>(Counter::kGprc)], 100U);
  EXPECT_EQ(s.counters[static_cast<std::size_t>(Counter::kMpc)], 0U);
  EXPECT_EQ(s.counters[static_cast<std::size_t>(Counter::kRnbc)], 0U);
  EXPECT_EQ(s.octets[static_cast<std::size_t>(OctetCounter::kGotc)], bytes);
  EXPECT_EQ(s.octets[static_cast<std::size_t>(OctetCounter::kGorc)], 6400U);
}
INSTANTIATE_TEST_SUITE_P(ApproximateToLoose, Accuracy,
                         ::testing::Values(kTimeZero, us(1), us(10), us(100)),
                         [](const auto& info) { return quantum_name(info.param); });

class InterruptTime : public ::testing::TestWithParam<Time> {};

TEST_P(InterruptTime, DelayTimersAgreeWithinTheQuantum) {
  const Time quantum = GetParam();
  NicRig rig(Part::k82540em, quantum);
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(64);
    rig.write(reg::kRdtr, 4);  // 4.096 us, less than the frames' distance
    rig.write(reg::kIms, cause::kRxt0);
    const Time start = sc_now();
    for (int i = 0; i < 10; ++i) rig.far.send(NicRig::frame(60), start + us(20) * i);
    std::size_t acknowledged = 0;
    while (sc_now() < start + us(250)) {
      if (rig.irq.read()) {
        rig.read(reg::kIcr);
        ++acknowledged;
      }
      NicRig::wait_for(ns(100));
    }
    std::vector<Time> rising;
    for (const NicRig::Edge& edge : rig.edges) {
      if (edge.level) rising.push_back(edge.at);
    }
    ASSERT_GE(rising.size(), 1U);
    // The first by the timer after the first frame: fetch, data, descriptor, 4.096 us.
    const Time first = start + ns(626) + 3 * kMemoryLatency + ns(4096) + kInterruptLatency;
    EXPECT_GE(rising[0], first);
    EXPECT_LE(rising[0], first + quantum);
    if (quantum <= us(10)) {
      EXPECT_EQ(acknowledged, 10U);
    }
    EXPECT_EQ(rig.read(reg::kRdh), 10U);
  });
}
INSTANTIATE_TEST_SUITE_P(ApproximateToLoose, InterruptTime,
                         ::testing::Values(kTimeZero, us(1), us(10), us(100)),
                         [](const auto& info) { return quantum_name(info.param); });

}  // namespace
}  // namespace e1000tlm::e1000::test
