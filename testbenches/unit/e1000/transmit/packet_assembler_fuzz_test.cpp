// Random hostile descriptor programs.
#include <initializer_list>

#include <gtest/gtest.h>

#include "testbenches/unit/e1000/transmit/assembler_rig.h"

namespace e1000tlm::e1000 {
namespace {

using namespace test;

/// Programs of wrong, extreme and contradictory descriptors, with a bias to fields that interact.
class Fuzzer {
 public:
  explicit Fuzzer(unsigned seed) : random_(seed) {}
  unsigned below(unsigned limit) { return random_() % limit; }
  bool once_in(unsigned times) { return below(times) == 0; }

  AssemblerSettings settings() {
    AssemblerSettings s;
    s.vlan_enable = once_in(2);
    s.pad_short = once_in(2);
    s.max_packet_bytes = pick({0, 13, 64, 1514, 16384, 65536, 0xFFFFFFFF});
    return s;
  }
  Step step() {
    Step s = kind();
    if (once_in(20)) s.raw[2] = 0;  // null address
    return s;
  }

 private:
  unsigned pick(std::initializer_list<unsigned> values) {
    return values.begin()[below(static_cast<unsigned>(values.size()))];
  }
  Content content(unsigned most) {
    unsigned size = pick({0, 1, 4, 13, 14, 54, 60, 255, 1460, 4096, 16384, 65535});
    if (once_in(3)) size = below(300);
    if (once_in(200)) size = (1u << 20) - 1;
    return Content(std::min(size, most), static_cast<std::uint8_t>(random_()));
  }
  Step kind() {
    const unsigned command = random_() & 0xDF;
    switch (below(8)) {
      case 0: return legacy(content(65535), command, random_() & 0xFF, random_() & 0xFF, random_());
      case 1: return context_step();
      case 2:
        if (!once_in(8)) break;
        {
          Step reserved = data({}, command);
          reserved.raw[10] = static_cast<std::uint8_t>(random_() | 0x20);
          return reserved;
        }
      default: break;
    }
    return data(content((1u << 20) - 1), command | (once_in(2) ? kTse : 0), random_() & 3,
                random_());
  }
  Step context_step() {
    if (once_in(4)) {
      Step s;
      for (auto& byte : s.raw) byte = static_cast<std::uint8_t>(random_());
      s.raw[10] &= 0x0F;
      s.raw[11] |= kDext;
      return s;
    }
    TxContext c;
    c.ipcss = static_cast<std::uint8_t>(pick({0, 13, 14, 53, 54, 255}));
    c.ipcso = static_cast<std::uint8_t>(pick({0, 24, 53, 54, 59, 255}));
    c.ipcse = static_cast<std::uint16_t>(pick({0, 1, 33, 65535}));
    c.tucss = static_cast<std::uint8_t>(pick({0, 34, 40, 54, 255}));
    c.tucso = static_cast<std::uint8_t>(pick({0, 50, 58, 59, 255}));
    c.tucse = static_cast<std::uint16_t>(pick({0, 1, 60, 65535}));
    c.paylen = pick({0, 1, 59, 60, 1460, 1461, 65536, 0xFFFFF});
    c.hdrlen = static_cast<std::uint8_t>(pick({0, 13, 14, 15, 54, 54, 66, 255}));
    c.mss = static_cast<std::uint16_t>(pick({0, 1, 2, 536, 1460, 1460, 9000, 16330, 65535}));
    if (c.mss < 3 && c.mss != 0) c.paylen = std::min(c.paylen, 2000u);
    c.tse = !once_in(3);
    c.ipv4 = once_in(2);
    c.tcp = once_in(2);
    return context(c);
  }

  std::mt19937 random_;
};

// Run under the address and undefined-behaviour sanitizers this holds every access in its bounds.
TEST(HostilePrograms, StayInBoundsAndDoNotDependOnHowDataArrives) {
  std::size_t frames = 0;
  for (unsigned seed = 0; seed < 20000; ++seed) {
    Fuzzer fuzz(seed);
    Rig whole, pieces;
    std::size_t in = 0;
    for (unsigned i = 1 + fuzz.below(12); i > 0; --i) {
      whole.settings = pieces.settings = fuzz.settings();
      const Step step = fuzz.step();
      pieces.chunk = 1 + fuzz.below(5000);
      in += step.data.size();
      whole.run(step);
      pieces.run(step);
    }
    std::size_t out = 0;
    for (const Sent& sent : whole.sent) {
      ASSERT_GE(sent.bytes.size(), 14u);
      ASSERT_LE(sent.bytes.size(), link::kMaxFrameBytes);
      out += sent.bytes.size();
    }
    ASSERT_LE(out, in + whole.sent.size() * (255 + 4 + 60)) << seed;
    ASSERT_TRUE(whole.sent == pieces.sent) << seed;
    ASSERT_EQ(whole.faults, pieces.faults) << seed;
    ASSERT_EQ(whole.complete, pieces.complete) << seed;
    ASSERT_EQ(whole.mismatch, pieces.mismatch) << seed;
    ASSERT_LE(whole.pool().allocated(), 2u) << seed;
    frames += whole.sent.size();
  }
  EXPECT_GT(frames, 20000u);  // the programs are not all rejected at the door
}

}  // namespace
}  // namespace e1000tlm::e1000
