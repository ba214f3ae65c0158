/// In steady state no frame costs the device a heap allocation.
#include <cstdlib>
#include <new>

#include "net_rig.h"

namespace {
std::uint64_t allocations = 0;
}  // namespace

// Counting and nothing else. Not inlined: compilers would take their halves for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace e1000tlm::virtio::test {
namespace {

using namespace net::feature;

class NetDeviceAllocations : public ::testing::TestWithParam<Time> {};

/// One round of traffic of the device alone: what the driver and the far end do is done before and
/// after.
TEST_P(NetDeviceAllocations, AreNone) {
  NetRigOptions options;
  options.quantum = GetParam();
  NetRig rig(options);
  rig.run([&] {
    rig.set_up();
    rig.start(kMac | kStatus | kMergeableBuffers | kEventIndex | kCsum | kHostTso4 | kGuestCsum |
              kGuestTso4);
    rig.far.received.reserve(10'000);
    std::uint64_t before = 0;
    unsigned used = 0;
    for (unsigned i = 0; i < 30; ++i) used += (12 + 60 + 40 * i + 511) / 512;
    for (unsigned round = 0; round < 8; ++round) {
      rig.supply(0, round == 0 ? 100 : used, 512);
      for (unsigned i = 0; i < 30; ++i) {
        rig.far.send(frame_of(60 + 40 * i, i));
        rig.put(0, frame_of(60 + 50 * i, i), {}, false);
      }
      rig.notify(1);
      rig.far.received.clear();  // frames go back to their pool
      if (round >= 4) before = allocations;
      rig.wait_for(ms(1));
      if (round >= 4) {
        EXPECT_EQ(allocations, before) << round;
      }
      EXPECT_EQ(rig.reap(0).size(), 30U);
      EXPECT_EQ(rig.reap_sent(0), 30U);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Accuracies, NetDeviceAllocations, ::testing::Values(kTimeZero, us(5)),
                         [](const auto& info) {
                           return "Quantum" + std::to_string(info.param / ns(1)) + "ns";
                         });

}  // namespace
}  // namespace e1000tlm::virtio::test
