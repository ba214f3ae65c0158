/// In steady state no frame costs a heap allocation, in the models, the kernel or the driver.
#include <cstdlib>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"

namespace {
std::uint64_t allocations = 0;
}  // namespace

// Counting and nothing else. All forms of new come down to these two. Not inlined: compilers would
// take their halves for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t align) {
  ++allocations;
  const auto alignment = static_cast<std::size_t>(align);
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (void* memory = std::aligned_alloc(alignment, rounded)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace e1000tlm::platform {
namespace {

constexpr std::uint64_t kWarm = 120'000, kMeasured = 60'000;

/// Allocations while frames kWarm to kWarm + kMeasured were on the wire.
std::uint64_t allocations_in(const BoardConfig& config) {
  Board board("board", config);
  std::uint64_t frames = 0, before = 0, after = 0;
  board.nics()[0]->cable().wire.attach([&](const link::WireEvent&) {
    ++frames;
    if (frames == kWarm) before = allocations;
    if (frames == kWarm + kMeasured) after = allocations;
  });
  board.run();
  EXPECT_GE(frames, kWarm + kMeasured);
  return after - before;
}

BoardConfig generate(const std::string& sizes, Time quantum) {
  BoardConfig config;
  config.app = AppChoice::kGenerate;
  config.links = {"loopback"};
  config.pci = "64/66";
  config.nics[0].part = e1000::Part::k82545em;
  config.sizes = sizes;
  config.rate = "300Mbit/s";
  config.frames = (kWarm + kMeasured) / 2 + 1000;  // out and in
  config.quantum = quantum;
  return config;
}

TEST(Allocation, CountingWorks) {
  const std::uint64_t before = allocations;
  const auto memory = std::make_unique<std::string>(100, 'x');
  EXPECT_EQ(memory->size(), 100U);
  EXPECT_GE(allocations, before + 2);
}
TEST(Allocation, NoneApproximatelyTimed) { EXPECT_EQ(allocations_in(generate("64", {})), 0U); }
TEST(Allocation, NoneLooselyTimed) { EXPECT_EQ(allocations_in(generate("64", us(100))), 0U); }
TEST(Allocation, NoneWithMixedSizes) {
  EXPECT_EQ(allocations_in(generate("64-1518", us(100))), 0U);
}
TEST(Allocation, NoneWithJumboFrames) {
  BoardConfig config = generate("9014", {});
  config.max_frame_bytes = 9018;
  EXPECT_EQ(allocations_in(config), 0U);
}
TEST(Allocation, NoneOnVirtioNet) {
  BoardConfig config = generate("64-1518", {});
  config.nics[0].model = NicModel::kVirtioNet;
  EXPECT_EQ(allocations_in(config), 0U);
}
TEST(Allocation, NoneOnVirtioNetLooselyTimed) {
  BoardConfig config = generate("64", us(100));
  config.nics[0].model = NicModel::kVirtioNet;
  EXPECT_EQ(allocations_in(config), 0U);
}
TEST(Allocation, NoneForwardingBetweenTwo) {
  BoardConfig config = generate("64-1518", {});
  config.nics.resize(2, config.nics[0]);
  config.links = {"switch:lan", "switch:lan"};
  config.rate = "100Mbit/s";
  EXPECT_EQ(allocations_in(config), 0U);
}

}  // namespace
}  // namespace e1000tlm::platform
