/// Conservative lookahead changes nothing but the speed: the same board with and without it.
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e1000tlm/board/board.h"

namespace e1000tlm::platform {
namespace {

std::string run(BoardConfig config, Time lookahead) {
  config.lookahead = lookahead;
  Board board("board", config);
  board.run();
  board.finish();
  RunSummary summary = board.summary();
  summary.wall_seconds = 0;
  return to_json(summary);
}

/// A SystemC kernel elaborates once a process.
std::string run_in_child(const BoardConfig& config, Time lookahead) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    std::string json = "the child failed";
    try {
      json = run(config, lookahead);
    } catch (const std::exception& error) {
      json = error.what();
    }
    std::size_t done = 0;
    while (done < json.size()) {
      const ssize_t n = write(ends[1], json.data() + done, json.size() - done);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string json;
  char block[4096];
  for (ssize_t n; (n = read(ends[0], block, sizeof block)) > 0;) {
    json.append(block, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return json;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_same(const BoardConfig& config) {
  const std::string without = run_in_child(config, kTimeZero);
  ASSERT_NE(without.find("\"nics\""), std::string::npos) << without;
  EXPECT_EQ(run(config, us(100)), without);
}

BoardConfig generate(const std::string& sizes, const std::string& rate) {
  BoardConfig config;
  config.app = AppChoice::kGenerate;
  config.links = {"loopback"};
  config.sizes = sizes;
  config.rate = rate;
  config.frames = 3000;
  return config;
}

TEST(Lookahead, ReflectsTheBuiltInCaptureToThePicosecond) {
  BoardConfig config;
  const std::string path = testing::TempDir() + "lookahead_" + std::to_string(getpid());
  config.links = {"pcap:in=built-in,out=" + path};
  const std::string without = run_in_child(config, kTimeZero);
  const std::string capture = contents(path);
  ASSERT_GT(capture.size(), 100'000U);
  EXPECT_EQ(run(config, us(100)), without);
  EXPECT_TRUE(contents(path) == capture);
  unlink(path.c_str());
}
TEST(Lookahead, GeneratesSmallFramesAtLineRate) { expect_same(generate("64", "line")); }
TEST(Lookahead, GeneratesMixedSizes) { expect_same(generate("64-1518", "300Mbit/s")); }
TEST(Lookahead, GeneratesOnAFastBus) {
  BoardConfig config = generate("64", "line");
  config.pci = "64/66";
  config.nics[0].part = e1000::Part::k82545em;
  expect_same(config);
}
TEST(Lookahead, WithFlowControl) {
  BoardConfig config = generate("1518", "line");
  config.links = {"loopback:pause=both"};
  expect_same(config);
}
TEST(Lookahead, ForwardsBetweenTwoAdaptersOnOneBus) {
  BoardConfig config;
  config.app = AppChoice::kForward;
  config.nics.resize(2);
  config.links = {"pcap:in=built-in", "null"};
  expect_same(config);
}
TEST(Lookahead, TwoAdaptersSendAtOnce) {
  BoardConfig config = generate("64-1518", "line");
  config.nics.resize(2);
  config.links = {"loopback", "loopback"};
  expect_same(config);
}
/// Both engines ask for the bus in the same picosecond again and again.
TEST(Lookahead, EnginesThatAskAtTheSameTime) {
  BoardConfig config;
  config.nics[0].part = e1000::Part::k82545em;
  config.pci = "64/66";
  config.host = "ideal";
  config.links = {"pcap:in=built-in,loop=10,pace=line"};
  expect_same(config);
}
TEST(Lookahead, OnAHostThatFetchesLinesAndBuffersWrites) {
  BoardConfig config = generate("64-1518", "line");
  config.nics[0].part = e1000::Part::k82545em;
  config.pci = "64/33";
  config.host = "p660,posted=256,drain=400ns,memory-busy=20";
  expect_same(config);
}
TEST(Lookahead, VirtioNetGeneratesSmallFramesAtLineRate) {
  BoardConfig config = generate("64", "line");
  config.nics[0].model = NicModel::kVirtioNet;
  expect_same(config);
}
TEST(Lookahead, VirtioNetGeneratesMixedSizesOnAFastBus) {
  BoardConfig config = generate("64-1518", "line");
  config.nics[0].model = NicModel::kVirtioNet;
  config.pci = "64/66";
  expect_same(config);
}
TEST(Lookahead, ForwardsBetweenAnE1000AndVirtioNet) {
  BoardConfig config;
  config.app = AppChoice::kForward;
  config.nics.resize(2);
  config.nics[1].model = NicModel::kVirtioNet;
  config.links = {"pcap:in=built-in", "null"};
  expect_same(config);
}
TEST(Lookahead, EndsALimitedRunOnTime) {
  BoardConfig config = generate("64", "line");
  config.frames = 0;
  config.duration = ms(600);
  expect_same(config);
}

}  // namespace
}  // namespace e1000tlm::platform
