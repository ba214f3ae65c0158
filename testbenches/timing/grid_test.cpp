/// Loosely timed equals approximately timed within the quantum where nothing contends: every
/// frame's time on the wire, in memory, and its descriptor's write-back, over a grid of sizes,
/// rates and quanta. Each test runs its simulations in child processes.

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "testbenches/timing/machine.h"

namespace e1000tlm::timing {
namespace {

enum class Load : unsigned char {
  kSingle,  ///< frame by frame, 50 us apart
  kBurst,   ///< as fast as wire and bus allow
};

struct Case {
  bool transmit;
  unsigned size;
  Load load;
};

std::string name_of(const Case& c) {
  return std::string(c.transmit ? "Transmit" : "Receive") + std::to_string(c.size) +
         (c.load == Load::kSingle ? "Single" : "Burst");
}
void PrintTo(const Case& c, std::ostream* out) { *out << name_of(c); }  // NOLINT: GoogleTest's name

/// Software keeps out of the way: one doorbell for each burst, and no receive buffers given back
/// while frames come in.
Experiment uncontended(const Case& c, Time quantum) {
  Experiment setup;
  setup.bus = "64/66";
  setup.quantum = quantum;
  setup.warm_up = kTimeZero;
  setup.want_tenures = true;
  setup.window = ms(2);
  WorkloadSettings& work = setup.work;
  work.size = c.size;
  work.nic.max_frame_bytes = std::max(1518U, c.size);
  work.nic.rx_descriptors = work.nic.tx_descriptors = c.size > 1518 ? 1024 : 4096;
  work.nic.doorbell_batch = work.nic.tx_descriptors - 1;
  if (c.transmit) {
    work.transmit = true;
    work.frames_at_once = c.load == Load::kSingle ? 1 : 100;
    work.poll = c.load == Load::kSingle ? us(50) : ms(1);
  } else {
    work.receive = true;
    work.poll = ms(100);
    const unsigned spacing = 6250;  // bytes: 50 us
    setup.far = "station:size=" + std::to_string(c.size) +
                ",gap=" + std::to_string(c.load == Load::kSingle ? spacing - c.size - 8 : 12);
  }
  return setup;
}

/// Ends of the write-backs of descriptors (data of received frames is never so short).
std::vector<Time> write_backs(const Trace& trace) {
  std::vector<Time> ends;
  for (const Tenure& t : trace.tenures) {
    if (t.master == 1 && t.write && t.bytes == 16) ends.push_back(t.end);
  }
  return ends;
}

/// The k-th times of both; the last few may have missed the end of one run.
void expect_within(const std::vector<Time>& exact, const std::vector<Time>& loose, Time quantum,
                   Time end, const char* what) {
  std::size_t compared = 0;
  for (std::size_t k = 0; k < exact.size() && exact[k] + quantum < end; ++k, ++compared) {
    ASSERT_LT(k, loose.size()) << what;
    ASSERT_LE(std::abs((loose[k] - exact[k]).count()), quantum.count())
        << what << " of frame " << k << ": " << exact[k].count() << " ps approximately, "
        << loose[k].count() << " ps loosely timed";
  }
  EXPECT_GE(compared, 35U) << what;
}

class Grid : public ::testing::TestWithParam<std::tuple<Case, Time>> {};

TEST_P(Grid, LooseIsApproximateWithinTheQuantum) {
  const auto& [c, quantum] = GetParam();
  const Experiment setup = uncontended(c, kTimeZero);
  const Trace exact = observe(setup);
  const Trace loose = observe(uncontended(c, quantum));
  const PortTrace& a = exact.ports[0];
  const PortTrace& b = loose.ports[0];
  if (c.transmit) {
    expect_within(a.sent, b.sent, quantum, setup.window, "time on the wire");
  } else {
    EXPECT_EQ(a.lost, 0U);
    expect_within(a.stored, b.stored, quantum, setup.window, "time in memory");
  }
  expect_within(write_backs(exact), write_backs(loose), quantum, setup.window, "write-back");
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const bool transmit : {true, false}) {
    for (const unsigned size : {64U, 594U, 1518U, 4500U}) {
      for (const Load load : {Load::kSingle, Load::kBurst}) all.push_back({transmit, size, load});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, Grid,
                         ::testing::Combine(::testing::ValuesIn(cases()),
                                            ::testing::Values(us(1), us(10), us(100))),
                         [](const auto& info) {
                           return name_of(std::get<0>(info.param)) + "Quantum" +
                                  std::to_string(std::get<1>(info.param) / us(1)) + "us";
                         });

}  // namespace
}  // namespace e1000tlm::timing
