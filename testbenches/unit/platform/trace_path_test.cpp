#include <random>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/trace/taps.h"

#include "board_fixture.h"

namespace e1000tlm::trace {
namespace {

/// Parts and totals of every frame of a random run. Boards are one to a process: each run is a test
/// of its own.
class Attribution : public testing::TestWithParam<unsigned> {};

platform::BoardConfig random_board(unsigned seed) {
  std::mt19937 random(seed);
  const auto one_of = [&](std::vector<std::string> choices) {
    return choices[random() % choices.size()];
  };
  platform::BoardConfig config;
  config.seed = seed;
  config.app = platform::AppChoice::kGenerate;
  config.frames = 300 + random() % 500;
  config.sizes = one_of({"64", "imix", "64-1518", "1518", "9000"});
  config.rate = one_of({"line", "100kfps", "300Mbit/s"});
  config.pci = one_of({"32/33", "32/66", "64/66"});
  const unsigned nics = 1 + random() % 3;
  config.nics.assign(nics, {});
  for (auto& nic : config.nics) nic.part = e1000::Part::k82545em;
  config.links.assign(nics, nics == 1 ? "loopback" : "switch:lan");
  config.driver.interrupt_rate = random() % 2 == 0 ? 0 : 8000;
  config.driver.rdtr = random() % 2 == 0 ? 0 : 32;
  config.quantum = seed % 2 == 0 ? kTimeZero : us(1 + random() % 20);
  return config;
}

TEST_P(Attribution, PartsOfEveryFrameAddUp) {
  platform::BoardConfig config = random_board(GetParam());
  platform::Board board("board", config);
  Recorder recorder(std::nullopt);
  Taps taps(board, recorder);
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  // Measured by others than the path finder: the wire's own times.
  std::set<std::pair<unsigned, Time>> last_bits;
  std::set<std::pair<unsigned, Time>> first_bits;
  std::set<std::pair<unsigned, Time>> looks;  // ends of software's accesses
  std::set<std::pair<unsigned, Time>> bells;  // of those to TDT
  recorder.listen([&](const Event& event) {
    if (event.kind == Kind::kWireOut) last_bits.insert({event.nic, event.end});
    if (event.kind == Kind::kRegister) {
      looks.insert({event.nic, event.end});
      if (event.value == e1000::reg::kTdt) bells.insert({event.nic, event.end});
    }
    if (event.kind == Kind::kReceived) first_bits.insert({event.nic, event.asked});
  });
  recorder.listen_to_paths([&](const FramePath& path) {
    ++(path.inbound ? in : out);
    EXPECT_EQ(path.sum(), path.end - path.begin);
    for (const Time part : path.parts) EXPECT_GE(part, kTimeZero);
    EXPECT_GT(path.parts[static_cast<std::size_t>(Part::kWire)], kTimeZero);
    if (path.inbound) {
      EXPECT_EQ(first_bits.count({path.nic, path.begin}), 1U);
    } else {
      EXPECT_EQ(last_bits.count({path.nic, path.sent}), 1U);
      // Loosely timed, an engine may begin before the write that tells it to has had its time.
      if (config.quantum == kTimeZero) {
        EXPECT_EQ(bells.count({path.nic, path.begin}), 1U) << "a write to TDT ended then";
      }
      // Software was told first, or the frame's last bit was what came last.
      EXPECT_GT(path.write_back, kTimeZero);
      EXPECT_TRUE(path.end == path.sent || looks.count({path.nic, path.end}) == 1);
    }
  });
  board.run();
  board.finish();
  const auto summary = board.summary();
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  for (const auto& nic : summary.nics) {
    sent += nic.wire_out.frames;
    received += nic.driver_in.frames;
  }
  // Of the last ones software may never hear.
  EXPECT_LE(out, sent);
  EXPECT_GE(out + 100, sent);
  // Loosely timed, software may be ahead of the last frames, and look no more.
  EXPECT_LE(in, received);
  EXPECT_GE(in + 100, received);
}

INSTANTIATE_TEST_SUITE_P(Runs, Attribution, testing::Range(1U, 13U));

}  // namespace
}  // namespace e1000tlm::trace
