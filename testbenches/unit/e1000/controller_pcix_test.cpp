/// The PCI-X capability as the parts have it (PCI-X 1.0b 7.2, manual 4.1.2).

#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/pci/config_space.h"

namespace e1000tlm::e1000::test {
namespace {

constexpr MacAddress kMac{2, 0, 0, 0, 0, 1};

struct Capability {
  unsigned id, at;
  bool operator==(const Capability& o) const { return id == o.id && at == o.at; }
};
std::vector<Capability> capabilities(const pci::ConfigSpace& space) {
  std::vector<Capability> found;
  for (unsigned at = space.read(0x34, 1); at != 0 && found.size() < 8; at = space.read(at + 1, 1)) {
    found.push_back({space.read(at, 1), at});
  }
  return found;
}

TEST(PcixCapability, IsInTheListOfThePartsThatHaveIt) {
  for (const PartInfo& info : kParts) {
    const pci::ConfigSpace space(pci_profile(info.part, EepromImage::make(info.part, kMac)));
    const std::vector<Capability> with{{1, 0xDC}, {7, 0xE4}, {5, 0xF0}},
        without{{1, 0xDC}, {5, 0xF0}};
    EXPECT_TRUE(capabilities(space) == (info.pcix ? with : without)) << info.name;
    EXPECT_EQ(space.read(0x06, 2) & 0x10, 0x10U) << info.name;
  }
}

TEST(PcixCapability, CommandAndStatusOfEveryPart) {
  for (const PartInfo& info : kParts) {
    if (!info.pcix) continue;
    pci::ConfigSpace space(pci_profile(info.part, EepromImage::make(info.part, kMac)));
    EXPECT_EQ(space.read(0xE6, 2), 0x0002U) << "relaxed ordering, 512 bytes, one split";
    space.write(0xE6, 2, 0xFFFF);
    EXPECT_EQ(space.read(0xE6, 2), 0x007FU);
    EXPECT_EQ(space.master_settings().max_read_bytes, 2048U) << "what it was designed for";
    space.write(0xE6, 2, 0x0004);
    EXPECT_EQ(space.master_settings().max_read_bytes, 1024U);

    const std::uint32_t status = space.read(0xE8, 4);
    EXPECT_EQ(status & 0xFFFF, 0xFFF8U) << "bus and device not known";
    EXPECT_EQ(status >> 16 & 3, 3U) << "64 bits, 133 MHz";
    EXPECT_EQ(status >> 21 & 3, 2U) << "reads of 2048 bytes";
    EXPECT_EQ(status >> 23 & 7, 0U) << "one outstanding split";
    EXPECT_EQ(status >> 26 & 7, 1U) << "2 KiB in all";
    space.write(0xE8, 4, 0);
    EXPECT_EQ(space.read(0xE8, 4), status);
    space.write(0xE8, 4, 0xFFFFFFFF);
    EXPECT_EQ(space.read(0xE8, 4), status) << "no error has occurred that could be cleared";
    space.reset(true);
    EXPECT_EQ(space.read(0xE6, 2), 0x0002U);
  }
}

}  // namespace
}  // namespace e1000tlm::e1000::test
