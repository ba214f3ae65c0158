#include "e1000tlm/e1000/power/wakeup_filter.h"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

using Bytes6 = std::array<std::uint8_t, 6>;
using Packet = std::vector<std::uint8_t>;
constexpr Bytes6 kStation{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
constexpr Bytes6 kOther{0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
constexpr Bytes6 kMulticast{0x01, 0x00, 0x5E, 0x00, 0x98, 0xBC};
constexpr Bytes6 kBroadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
constexpr std::uint32_t kAllFixed = 0xFE;

struct Registers {
  std::array<std::uint32_t, 32> ra{};
  std::array<std::uint32_t, 128> mta{}, vfta{};
  std::array<std::uint32_t, 8> ip4at{}, fflt{};
  std::array<std::uint32_t, 4> ip6at{};
  std::array<std::uint32_t, 256> ffmt{}, ffvt{};
  WakeupView view{};

  explicit Registers(std::uint32_t enabled = kAllFixed) {
    // Rubbish in the gaps between registers must not matter.
    for (std::size_t i = 1; i < ffmt.size(); i += 2) ffmt[i] = ffvt[i] = 0xDEADBEEF;
    for (std::size_t i = 1; i < ip4at.size(); i += 2) ip4at[i] = fflt[i] = 0xDEADBEEF;
    set_address(0, kStation);
    view.address = {rctl::kBam, 0x8100, ra.data(), mta.data(), vfta.data()};
    view.enabled = enabled;
    view.ip4at = ip4at.data();
    view.ip6at = ip6at.data();
    view.fflt = fflt.data();
    view.ffmt = ffmt.data();
    view.ffvt = ffvt.data();
  }
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;

  void set_address(unsigned i, const Bytes6& a) {
    ra[2 * i] = load_le32(a.data());
    ra[2 * i + 1] = load_le16(a.data() + 4) | rah::kAv;
  }
  /// 192.0.2.9 in entry `i`.
  void set_ipv4(unsigned i) {
    ip4at[2 * i] = 0x090200C0;
    view.ipav |= 1U << i;
  }
  void set_flexible(unsigned filter, std::uint32_t length) {
    fflt[2 * filter] = length;
    view.enabled |= wake::kFlex0 << filter;
  }
  void set_flexible_byte(unsigned filter, unsigned at, std::uint8_t value) {
    ffmt[2 * at] |= 1U << filter;
    ffvt[2 * at] |= std::uint32_t{value} << (8 * filter);
  }
  std::uint32_t operator()(const Packet& p) const {
    return wakeup_matches(view, {p.data(), p.size()});
  }
};

void append(Packet& packet, std::initializer_list<int> bytes) {
  for (const int byte : bytes) packet.push_back(static_cast<std::uint8_t>(byte));
}
Packet ethernet(const Bytes6& to, std::initializer_list<int> type) {
  Packet p(to.begin(), to.end());
  append(p, {2, 0, 0, 0, 0, 1});
  append(p, type);
  return p;
}
Packet padded(Packet p) {
  p.resize(std::max<std::size_t>(p.size(), 60));
  return p;
}
Packet plain(const Bytes6& to) { return padded(ethernet(to, {0x88, 0xB5})); }
Packet magic(const Bytes6& to, const Bytes6& station = kStation, int ones = 6) {
  Packet p = ethernet(to, {0x08, 0x42});
  append(p, {0xFF, 1, 2, 0xFF, 0xFF});
  p.push_back(0);
  p.insert(p.end(), static_cast<std::size_t>(ones), 0xFF);
  for (int i = 0; i < 16; ++i) p.insert(p.end(), station.begin(), station.end());
  return p;
}
void append_arp(Packet& p, int operation = 1) {
  append(p, {0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1});
  append(p, {0, 0, 0, 0, 0, 0, 192, 0, 2, 9});
}
Packet arp(std::initializer_list<int> type = {0x08, 0x06}) {
  Packet p = ethernet(kBroadcast, type);
  append_arp(p);
  return p;
}
Packet ipv4(const Bytes6& to, int first = 0x45) {
  Packet p = ethernet(to, {0x08, 0x00});
  append(p, {first, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 198, 51, 100, 1, 192, 0, 2, 9});
  return p;
}
Packet ipv6(const Bytes6& to) {
  Packet p = ethernet(to, {0x86, 0xDD});
  append(p, {0x60, 0, 0, 0, 0, 0, 59, 64});
  for (int i = 0; i < 16; ++i) p.push_back(0xAA);
  for (int i = 0; i < 16; ++i) p.push_back(static_cast<std::uint8_t>(i + 1));
  return p;
}

TEST(WakeupFilter, DirectedPackets) {
  Registers r;
  EXPECT_EQ(r(plain(kStation)), std::uint32_t{wake::kEx});
  EXPECT_EQ(r(plain(kOther)), 0U);
  EXPECT_EQ(r(plain(kBroadcast)), std::uint32_t{wake::kBc});
  EXPECT_EQ(r(plain(kMulticast)), 0U);
  r.set_address(15, kOther);
  EXPECT_EQ(r(plain(kOther)), std::uint32_t{wake::kEx});
  r.ra[31] &= ~rah::kAv;
  EXPECT_EQ(r(plain(kOther)), 0U);
  const unsigned hash = multicast_hash(kMulticast.data(), 0);
  r.mta[hash >> 5] = 1U << (hash & 31);
  EXPECT_EQ(r(plain(kMulticast)), std::uint32_t{wake::kMc});
  r.mta.fill(0);
  r.view.address.rctl |= rctl::kMpe;
  EXPECT_EQ(r(plain(kMulticast)), std::uint32_t{wake::kMc});
}

TEST(WakeupFilter, OnlyWhatIsEnabledMatches) {
  Registers r(wake::kMc | wake::kBc);
  r.set_ipv4(0);
  EXPECT_EQ(r(plain(kStation)), 0U);
  EXPECT_EQ(r(arp()), std::uint32_t{wake::kBc});
  EXPECT_EQ(r(magic(kStation)), 0U);
}

TEST(WakeupFilter, TheReceiversOwnFiltersComeFirst) {
  Registers r;
  r.set_ipv4(0);
  r.view.address.rctl = rctl::kUpe;  // no BAM
  EXPECT_EQ(r(plain(kBroadcast)), 0U);
  EXPECT_EQ(r(arp()), 0U);
  EXPECT_EQ(r(plain(kOther)), 0U);  // passes, but is not directed to us
  r.view.address.rctl = rctl::kBam | rctl::kVfe;
  Packet tagged = ethernet(kStation, {0x81, 0, 0, 5, 0x88, 0xB5});
  EXPECT_EQ(r(padded(tagged)), 0U);
  r.vfta[0] = 1 << 5;
  EXPECT_EQ(r(padded(tagged)), std::uint32_t{wake::kEx});
}

TEST(WakeupFilter, MagicPacket) {
  Registers r(wake::kMag);
  EXPECT_EQ(r(magic(kStation)), std::uint32_t{wake::kMag});
  EXPECT_EQ(r(magic(kStation, kStation, 7)), std::uint32_t{wake::kMag});
  EXPECT_EQ(r(magic(kStation, kStation, 40)), std::uint32_t{wake::kMag});
  EXPECT_EQ(r(magic(kStation, kStation, 5)), 0U);
  EXPECT_EQ(r(magic(kStation, kOther)), 0U);
  EXPECT_EQ(r(magic(kOther)), 0U);  // not to us
  EXPECT_EQ(r(magic(kBroadcast)), std::uint32_t{wake::kMag});
  // Receive address 0 is what is looked for, whichever address was sent to.
  r.set_address(3, kOther);
  EXPECT_EQ(r(magic(kOther)), std::uint32_t{wake::kMag});
  EXPECT_EQ(r(magic(kStation, kOther)), 0U);
}

TEST(WakeupFilter, BroadcastMagicPacketNeedsNoBamExceptOnThe82544) {
  Registers r(wake::kMag | wake::kBc);
  r.view.address.rctl = 0;
  EXPECT_EQ(r(magic(kBroadcast)), std::uint32_t{wake::kMag});
  r.view.broadcast_magic = false;
  EXPECT_EQ(r(magic(kBroadcast)), 0U);
  r.view.address.rctl = rctl::kBam;
  EXPECT_EQ(r(magic(kBroadcast)), wake::kMag | wake::kBc);
}

TEST(WakeupFilter, MagicSearchGoesOnAfterAMismatch) {
  Registers r(wake::kMag);
  Packet p = magic(kStation);
  p[p.size() - 1] ^= 1;
  EXPECT_EQ(r(p), 0U);
  const Packet good = magic(kStation);
  p.insert(p.end(), good.begin() + 20, good.end());
  EXPECT_EQ(r(p), std::uint32_t{wake::kMag});
  p.insert(p.end(), 200, 0xFF);
  EXPECT_EQ(r(p), std::uint32_t{wake::kMag});
}

TEST(WakeupFilter, ArpRequest) {
  Registers r(wake::kArp);
  EXPECT_EQ(r(arp()), 0U);  // no valid address
  for (unsigned i = 0; i < 4; ++i) {
    Registers one(wake::kArp);
    one.set_ipv4(i);
    EXPECT_EQ(one(arp()), std::uint32_t{wake::kArp}) << i;
    one.view.ipav = 0xF & ~(1U << i);
    EXPECT_EQ(one(arp()), 0U) << i;
  }
  r.set_ipv4(1);
  Packet reply = ethernet(kBroadcast, {0x08, 0x06});
  append_arp(reply, 2);
  EXPECT_EQ(r(reply), 0U);
  Packet other = arp();
  other.back() = 10;
  EXPECT_EQ(r(other), 0U);
  Packet unicast = arp();
  std::copy(kStation.begin(), kStation.end(), unicast.begin());
  EXPECT_EQ(r(unicast), 0U);
  for (std::size_t i = 12; i < 22; ++i) {  // each byte that the manual compares
    Packet changed = arp();
    changed[i] ^= 0x40;
    EXPECT_EQ(r(changed), 0U) << i;
  }
}

TEST(WakeupFilter, TagAndSnapHeaderAreSkipped) {
  Registers r(wake::kArp);
  r.set_ipv4(0);
  EXPECT_EQ(r(arp({0x81, 0, 0, 7, 0x08, 0x06})), std::uint32_t{wake::kArp});
  EXPECT_EQ(r(arp({0, 36, 0xAA, 0xAA, 3, 0, 0, 0, 0x08, 0x06})), std::uint32_t{wake::kArp});
  EXPECT_EQ(r(arp({0x81, 0, 0, 7, 0, 36, 0xAA, 0xAA, 3, 0, 0, 0, 0x08, 0x06})),
            std::uint32_t{wake::kArp});
  EXPECT_EQ(r(arp({0, 36, 0xAA, 0xAA, 3, 0, 0, 1, 0x08, 0x06})), 0U);
  EXPECT_EQ(r(arp({0x91, 0, 0, 7, 0x08, 0x06})), 0U);
  r.view.address.vet = 0x9100;
  EXPECT_EQ(r(arp({0x91, 0, 0, 7, 0x08, 0x06})), std::uint32_t{wake::kArp});
}

TEST(WakeupFilter, DirectedIp) {
  Registers r(wake::kIpv4 | wake::kIpv6);
  r.set_ipv4(2);
  EXPECT_EQ(r(ipv4(kStation)), std::uint32_t{wake::kIpv4});
  EXPECT_EQ(r(ipv4(kBroadcast)), 0U);
  EXPECT_EQ(r(ipv4(kStation, 0x55)), 0U);
  EXPECT_EQ(r(ipv4(kStation, 0x44)), 0U);
  Packet other = ipv4(kStation);
  other[33] = 8;
  EXPECT_EQ(r(other), 0U);

  EXPECT_EQ(r(ipv6(kStation)), 0U);
  r.ip6at = {0x04030201, 0x08070605, 0x0C0B0A09, 0x100F0E0D};
  EXPECT_EQ(r(ipv6(kStation)), 0U);  // not yet valid
  r.view.ipav |= 1U << 16;
  EXPECT_EQ(r(ipv6(kStation)), std::uint32_t{wake::kIpv6});
  r.ip6at[3] ^= 0x01000000;
  EXPECT_EQ(r(ipv6(kStation)), 0U);
}

TEST(WakeupFilter, FlexibleFilters) {
  for (unsigned f = 0; f < 4; ++f) {
    Registers r(0);
    const std::uint32_t bit = wake::kFlex0 << f;
    r.set_flexible(f, 30);
    r.set_flexible_byte(f, 12, 0x88);
    r.set_flexible_byte(f, 29, 0x77);
    r.set_flexible_byte(f, 30, 0x66);  // beyond the length: ignored
    Packet p = plain(kStation);
    EXPECT_EQ(r(p), 0U);
    p[29] = 0x77;
    EXPECT_EQ(r(p), bit);
    p.resize(30);
    EXPECT_EQ(r(p), bit);
    p.resize(29);
    EXPECT_EQ(r(p), 0U);
    r.view.enabled = wake::kFlexible & ~bit;
    for (unsigned other = 0; other < 4; ++other) r.fflt[2 * other] = 2000;
    p.resize(60);
    EXPECT_EQ(r(p), 0U);
  }
}

TEST(WakeupFilter, FlexibleFilterIsLongerThanItsPattern) {
  Registers r(0);
  r.set_flexible(0, 2047);
  r.set_flexible_byte(0, 127, 0xEE);
  Packet p = plain(kStation);
  p.resize(2047);
  EXPECT_EQ(r(p), 0U);
  p[127] = 0xEE;
  EXPECT_EQ(r(p), std::uint32_t{wake::kFlex0});
  p.resize(2046);
  EXPECT_EQ(r(p), 0U);
}

TEST(WakeupFilter, OnePacketMatchesSeveral) {
  Registers r;
  r.set_ipv4(0);
  r.set_flexible(1, 0);
  EXPECT_EQ(r(arp()), wake::kBc | wake::kArp | wake::kFlex0 << 1);
  EXPECT_EQ(r(ipv4(kStation)), wake::kEx | wake::kIpv4 | wake::kFlex0 << 1);
}

/// Cut at every length, in a heap block of exactly that size: no byte beyond may be looked at, and
/// only the whole packet matches.
TEST(WakeupFilter, TruncatedPackets) {
  Registers r(wake::kMag | wake::kArp | wake::kIpv4 | wake::kIpv6);
  r.set_ipv4(0);
  r.ip6at = {0x04030201, 0x08070605, 0x0C0B0A09, 0x100F0E0D};
  r.view.ipav |= 1U << 16;
  for (const Packet& whole :
       {magic(kStation), arp(), arp({0x81, 0, 0, 7, 0, 36, 0xAA, 0xAA, 3, 0, 0, 0, 0x08, 0x06}),
        ipv4(kStation), ipv6(kStation)}) {
    ASSERT_NE(r(whole), 0U);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Packet cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(r(cut), 0U) << size;
    }
  }
}

TEST(WakeupFilter, HostilePackets) {
  Registers r(wake::kPackets);
  std::mt19937 random(7);
  const std::uint32_t allowed = wake::kPackets;
  for (int i = 0; i < 20000; ++i) {
    Packet p(random() % 300);
    const bool ones = random() % 2 == 0;
    for (std::uint8_t& byte : p) {
      byte = ones && random() % 8 != 0 ? 0xFF : static_cast<std::uint8_t>(random());
    }
    if (p.size() >= 6 && random() % 2 == 0) std::copy(kStation.begin(), kStation.end(), p.begin());
    EXPECT_EQ(r(p) & ~allowed, 0U);
    EXPECT_EQ(r(p) & wake::kMag, 0U);
    if (p.size() < 14) {
      EXPECT_EQ(r(p), 0U);
    }
  }
  EXPECT_EQ(r(Packet(16000, 0xFF)) & wake::kMag, 0U);
}

}  // namespace
}  // namespace e1000tlm::e1000
