#include "e1000tlm/e1000/receive/receive_filter.h"

#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace e1000tlm::e1000 {
namespace {

using Mac = std::array<std::uint8_t, 6>;
constexpr Mac kStation{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
constexpr Mac kOther{0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
constexpr Mac kMulticast{0x01, 0x00, 0x5E, 0x00, 0x98, 0xBC};
constexpr Mac kBroadcast{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

constexpr std::uint32_t kUpe = 0x8, kMpe = 0x10, kBam = 0x8000, kVfe = 0x40000, kCfien = 0x80000,
                        kCfi = 0x100000;
constexpr std::uint32_t kAv = 0x80000000;

struct Registers {
  std::array<std::uint32_t, 32> ra{};
  std::array<std::uint32_t, 128> mta{}, vfta{};
  FilterView view{};

  Registers() {
    view.ra = ra.data();
    view.mta = mta.data();
    view.vfta = vfta.data();
    set_ra(0, kStation, kAv);
  }
  void set_ra(unsigned entry, const Mac& mac, std::uint32_t flags) {
    ra[2 * entry] = load_le32(mac.data());
    ra[2 * entry + 1] = load_le16(mac.data() + 4) | flags;
  }
};

std::vector<std::uint8_t> make_frame(const Mac& destination, const Mac& source = kOther) {
  std::vector<std::uint8_t> frame(60);
  std::copy(destination.begin(), destination.end(), frame.begin());
  std::copy(source.begin(), source.end(), frame.begin() + 6);
  frame[12] = 0x08;
  return frame;
}

std::vector<std::uint8_t> make_tagged(std::uint16_t tci) {
  auto frame = make_frame(kStation);
  store_be16(&frame[12], 0x8100);
  store_be16(&frame[14], tci);
  return frame;
}

FilterVerdict run(const Registers& registers, const Mac& destination, const Mac& source = kOther) {
  return filter(registers.view, make_frame(destination, source));
}

TEST(ReceiveFilter, UnicastMatchesReceiveAddressExactly) {
  Registers r;
  EXPECT_EQ(run(r, kStation), FilterVerdict::kAcceptExact);
  EXPECT_EQ(run(r, kOther, kStation), FilterVerdict::kRejectAddress);
  for (unsigned bit = 0; bit < 48; ++bit) {
    Mac near_miss = kStation;
    near_miss[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_EQ(run(r, near_miss), FilterVerdict::kRejectAddress) << bit;
  }
}

TEST(ReceiveFilter, InvalidEntryMatchesNothing) {
  Registers r;
  r.set_ra(0, kStation, 0);
  EXPECT_EQ(run(r, kStation), FilterVerdict::kRejectAddress);
}

TEST(ReceiveFilter, EveryEntryCountsAndMayHoldAMulticast) {
  for (unsigned entry = 0; entry < 16; ++entry) {
    Registers r;
    r.set_ra(entry, kMulticast, kAv);
    EXPECT_EQ(run(r, kMulticast), FilterVerdict::kAcceptExact) << entry;
  }
}

TEST(ReceiveFilter, AddressSelectComparesTheSource) {
  Registers r;
  r.set_ra(3, kOther, kAv | 1U << 16);
  EXPECT_EQ(run(r, {0x02, 0, 0, 0, 0, 9}, kOther), FilterVerdict::kAcceptExact);
  EXPECT_EQ(run(r, kOther, {0x02, 0, 0, 0, 0, 9}), FilterVerdict::kRejectAddress);
}

TEST(ReceiveFilter, ReservedAddressSelectMatchesNeither) {
  for (std::uint32_t select : {2U, 3U}) {
    Registers r;
    r.set_ra(0, kStation, kAv | select << 16);
    EXPECT_EQ(run(r, kStation, kStation), FilterVerdict::kRejectAddress) << select;
  }
}

TEST(ReceiveFilter, ReservedBitsOfRahAreNotCompared) {
  Registers r;
  r.set_ra(0, kStation, kAv | 0x7FFC0000);
  EXPECT_EQ(run(r, kStation), FilterVerdict::kAcceptExact);
}

TEST(ReceiveFilter, UnicastPromiscuousIsInexactUnlessTheAddressMatches) {
  Registers r;
  r.view.rctl = kUpe;
  EXPECT_EQ(run(r, kOther), FilterVerdict::kAcceptInexact);
  EXPECT_EQ(run(r, kStation), FilterVerdict::kAcceptExact);
  EXPECT_EQ(run(r, kMulticast), FilterVerdict::kRejectAddress);
  EXPECT_EQ(run(r, kBroadcast), FilterVerdict::kRejectAddress);
}

TEST(ReceiveFilter, MulticastPromiscuousTakesGroupAddressesWithoutPif) {
  Registers r;
  r.view.rctl = kMpe;
  EXPECT_EQ(run(r, kMulticast), FilterVerdict::kAcceptExact);
  r.mta.fill(0xFFFFFFFF);
  EXPECT_EQ(run(r, kMulticast), FilterVerdict::kAcceptExact);
  EXPECT_EQ(run(r, kBroadcast), FilterVerdict::kAcceptExact);
  EXPECT_EQ(run(r, kOther), FilterVerdict::kRejectAddress);
}

TEST(ReceiveFilter, BroadcastNeedsBamOrAnotherMatch) {
  Registers r;
  EXPECT_EQ(run(r, kBroadcast), FilterVerdict::kRejectAddress);
  r.view.rctl = kBam;
  EXPECT_EQ(run(r, kBroadcast), FilterVerdict::kAcceptExact);
  EXPECT_EQ(run(r, kMulticast), FilterVerdict::kRejectAddress);
  r.view.rctl = 0;
  r.mta[127] = 0x80000000;  // hash FFFh
  EXPECT_EQ(run(r, kBroadcast), FilterVerdict::kAcceptInexact);
  r.set_ra(15, kBroadcast, kAv);
  EXPECT_EQ(run(r, kBroadcast), FilterVerdict::kAcceptExact);
}

TEST(ReceiveFilter, HashOfTheManualsExample) {
  // Manual 13.5.1: xx:xx:xx:xx:9x:BC with bits 47:36 is row 94, bit 9.
  EXPECT_EQ(multicast_hash(kMulticast.data(), 0), 94 * 32 + 9);
}

TEST(ReceiveFilter, HashTakesTwelveBitsByOffset) {
  // Last two bytes 98h BCh = BC98h: 1011 1100 1001 1000.
  EXPECT_EQ(multicast_hash(kMulticast.data(), 0), 0xBC9);
  EXPECT_EQ(multicast_hash(kMulticast.data(), 1), 0x793);
  EXPECT_EQ(multicast_hash(kMulticast.data(), 2), 0xF26);
  EXPECT_EQ(multicast_hash(kMulticast.data(), 3), 0xC98);
}

TEST(ReceiveFilter, HashHitIsInexactAndOnlyForMulticast) {
  for (unsigned mo = 0; mo < 4; ++mo) {
    Registers r;
    r.view.rctl = mo << 12;
    const unsigned hash = multicast_hash(kMulticast.data(), mo);
    r.mta[hash / 32] = 1U << hash % 32;
    EXPECT_EQ(run(r, kMulticast), FilterVerdict::kAcceptInexact) << mo;
    Mac unicast = kMulticast;
    unicast[0] = 0x02;
    EXPECT_EQ(run(r, unicast), FilterVerdict::kRejectAddress) << mo;
    r.mta[hash / 32] = ~(1U << hash % 32);
    EXPECT_EQ(run(r, kMulticast), FilterVerdict::kRejectAddress) << mo;
  }
}

TEST(ReceiveFilter, VlanFilterWantsTheTableBit) {
  Registers r;
  r.vfta[0x123 / 32] = 1U << (0x123 % 32);
  EXPECT_EQ(filter(r.view, make_tagged(0x124)), FilterVerdict::kAcceptExact) << "VFE off";
  r.view.rctl = kVfe;
  EXPECT_EQ(filter(r.view, make_tagged(0x0123)), FilterVerdict::kAcceptExact);
  EXPECT_EQ(filter(r.view, make_tagged(0xF123)), FilterVerdict::kAcceptExact) << "priority, CFI";
  EXPECT_EQ(filter(r.view, make_tagged(0x0124)), FilterVerdict::kRejectVlan);
  EXPECT_EQ(filter(r.view, make_tagged(0x0103)), FilterVerdict::kRejectVlan) << "other row";
  EXPECT_EQ(filter(r.view, make_frame(kStation)), FilterVerdict::kAcceptExact) << "untagged";
}

TEST(ReceiveFilter, VlanFilterKnowsTagsByVet) {
  Registers r;
  r.view.rctl = kVfe;
  EXPECT_EQ(filter(r.view, make_tagged(5)), FilterVerdict::kRejectVlan);
  r.view.vet = 0x9100;
  EXPECT_EQ(filter(r.view, make_tagged(5)), FilterVerdict::kAcceptExact);
}

TEST(ReceiveFilter, CfiMustAgreeWhenEnabled) {
  Registers r;
  r.vfta[0] = 1U << 7;
  for (const bool frame_cfi : {false, true}) {
    const auto frame = make_tagged(frame_cfi ? 0x1007 : 0x0007);
    r.view.rctl = kVfe | kCfien;
    EXPECT_EQ(filter(r.view, frame),
              frame_cfi ? FilterVerdict::kRejectVlan : FilterVerdict::kAcceptExact);
    r.view.rctl = kVfe | kCfien | kCfi;
    EXPECT_EQ(filter(r.view, frame),
              frame_cfi ? FilterVerdict::kAcceptExact : FilterVerdict::kRejectVlan);
    r.view.rctl = kVfe | kCfi;
    EXPECT_EQ(filter(r.view, frame), FilterVerdict::kAcceptExact);
  }
}

TEST(ReceiveFilter, AddressIsJudgedBeforeVlan) {
  Registers r;
  r.view.rctl = kVfe;
  auto frame = make_tagged(5);
  frame[5] ^= 1;
  EXPECT_EQ(filter(r.view, frame), FilterVerdict::kRejectAddress);
}

TEST(ReceiveFilter, TruncatedFramesAreRejected) {
  Registers r;
  r.vfta.fill(0xFFFFFFFF);
  r.view.rctl = kVfe | kUpe;
  const auto whole = make_tagged(5);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::vector<std::uint8_t> frame(whole.begin(), whole.begin() + static_cast<long>(size));
    const auto verdict = filter(r.view, frame);
    const auto expected = size < 14   ? FilterVerdict::kRejectAddress
                          : size < 18 ? FilterVerdict::kRejectVlan
                                      : FilterVerdict::kAcceptExact;
    EXPECT_EQ(verdict, expected) << size;
  }
}

TEST(ReceiveFilter, AnyBytesAndRegistersGiveAVerdict) {
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    Registers r;
    for (auto& value : r.ra) value = random();
    for (auto& value : r.mta) value = random();
    for (auto& value : r.vfta) value = random();
    r.view.rctl = random();
    r.view.vet = static_cast<std::uint16_t>(random() % 4);
    std::vector<std::uint8_t> frame(random() % 64);
    for (auto& byte : frame) byte = static_cast<std::uint8_t>(random() % 4);
    const auto verdict = filter(r.view, frame);
    EXPECT_TRUE(frame.size() >= 14 || verdict == FilterVerdict::kRejectAddress);
  }
}

PauseView pause_view() {
  PauseView view;
  view.fcal = 0x00C28001;
  view.fcah = 0x0100;
  view.fct = 0x8808;
  view.ral0 = load_le32(kStation.data());
  view.rah0 = kAv | load_le16(kStation.data() + 4);
  return view;
}

TEST(MacControl, PauseFrameIsLaidOutAsIn8023) {
  const auto frame = make_pause(pause_view(), 0xABCD);
  const std::array<std::uint8_t, 18> head{0x01, 0x80, 0xC2, 0x00, 0x00, 0x01, 0x52, 0x54, 0x00,
                                          0x12, 0x34, 0x56, 0x88, 0x08, 0x00, 0x01, 0xAB, 0xCD};
  for (std::size_t i = 0; i < frame.size(); ++i) {
    EXPECT_EQ(frame[i], i < head.size() ? head[i] : 0) << i;
  }
}

TEST(MacControl, OwnPauseIsRecognised) {
  const auto result = classify_mac_control(pause_view(), make_pause(pause_view(), 0x1234));
  EXPECT_EQ(result.kind, MacControl::kPause);
  EXPECT_EQ(result.quanta, 0x1234);
  EXPECT_FALSE(result.station_address);
}

TEST(MacControl, StationAddressIsAsGoodAsTheGroup) {
  auto frame = make_pause(pause_view(), 7);
  std::copy(kStation.begin(), kStation.end(), frame.begin());
  auto view = pause_view();
  const auto result = classify_mac_control(view, frame);
  EXPECT_EQ(result.kind, MacControl::kPause);
  EXPECT_EQ(result.quanta, 7);
  EXPECT_TRUE(result.station_address);
  view.rah0 &= ~kAv;
  EXPECT_EQ(classify_mac_control(view, frame).kind, MacControl::kNone) << "RAR0 not valid";
}

TEST(MacControl, OtherTypeOrAddressIsNoMacControl) {
  auto frame = make_pause(pause_view(), 7);
  frame[13] = 0x09;
  EXPECT_EQ(classify_mac_control(pause_view(), frame).kind, MacControl::kNone);
  frame = make_pause(pause_view(), 7);
  frame[5] = 0x02;
  EXPECT_EQ(classify_mac_control(pause_view(), frame).kind, MacControl::kNone);
}

TEST(MacControl, OtherOpcodeIsUnsupported) {
  auto frame = make_pause(pause_view(), 7);
  frame[14] = 0x01;  // 0101h, priority flow control
  const auto result = classify_mac_control(pause_view(), frame);
  EXPECT_EQ(result.kind, MacControl::kUnsupportedOpcode);
  EXPECT_EQ(result.quanta, 0);
}

TEST(MacControl, TypeAndAddressComeFromTheRegisters) {
  auto view = pause_view();
  view.fct = 0xFFFF1234;  // only 15:0 exist
  view.fcah = 0xFFFF0201;
  const auto frame = make_pause(view, 0);
  EXPECT_EQ(frame[12], 0x12);
  EXPECT_EQ(frame[5], 0x02);
  EXPECT_EQ(classify_mac_control(view, frame).kind, MacControl::kPause);
  EXPECT_EQ(classify_mac_control(pause_view(), frame).kind, MacControl::kNone);
}

TEST(MacControl, TruncatedFramesAreNoMacControl) {
  const auto whole = make_pause(pause_view(), 7);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::vector<std::uint8_t> frame(whole.begin(), whole.begin() + size);
    EXPECT_EQ(classify_mac_control(pause_view(), frame).kind,
              size < 18 ? MacControl::kNone : MacControl::kPause)
        << size;
  }
}

}  // namespace
}  // namespace e1000tlm::e1000
