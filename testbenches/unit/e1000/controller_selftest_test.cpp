/// The EEPROM and loopback tests of `ethtool -t`, EERD, MAC loopback.

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

/// Drives EECD as a driver does (rules EE-6 to EE-12).
class Microwire {
 public:
  explicit Microwire(NicRig& rig, bool arbitrated = true) : rig_(rig), arbitrated_(arbitrated) {}

  bool acquire() {
    if (!arbitrated_) return true;
    set(rig_.read(reg::kEecd) | eecd::kReq);
    return NicRig::wait_until([&] { return (rig_.read(reg::kEecd) & eecd::kGnt) != 0; }, ms(5),
                              us(5));
  }
  std::uint16_t read(unsigned address, unsigned address_bits = 6) {
    EXPECT_TRUE(acquire());
    std::uint32_t e = rig_.read(reg::kEecd) & ~(eecd::kDi | eecd::kSk);
    set(e);
    e |= eecd::kCs;
    set(e);
    shift_out(6, 3);
    shift_out(address, address_bits);
    const std::uint16_t data = shift_in();
    standby();
    release();
    return data;
  }

 private:
  void set(std::uint32_t value) {
    rig_.write(reg::kEecd, value);
    NicRig::wait_for(us(1));
  }
  void clock(std::uint32_t e) {
    set(e | eecd::kSk);
    set(e & ~eecd::kSk);
  }
  void shift_out(unsigned data, unsigned bits) {
    std::uint32_t e = rig_.read(reg::kEecd) & ~(eecd::kDo | eecd::kDi);
    for (unsigned bit = bits; bit-- > 0;) {
      e = (data >> bit & 1) != 0 ? e | eecd::kDi : e & ~eecd::kDi;
      set(e);
      clock(e);
    }
    set(e & ~eecd::kDi);
  }
  std::uint16_t shift_in() {
    std::uint32_t e = rig_.read(reg::kEecd) & ~(eecd::kDo | eecd::kDi);
    unsigned data = 0;
    for (int i = 0; i < 16; ++i) {
      set(e | eecd::kSk);
      e = rig_.read(reg::kEecd) & ~eecd::kDi;
      data = data << 1 | ((e & eecd::kDo) != 0 ? 1 : 0);
      set(e & ~eecd::kSk);
    }
    return static_cast<std::uint16_t>(data);
  }
  void standby() {  // EE-11
    std::uint32_t e = rig_.read(reg::kEecd) & ~(eecd::kCs | eecd::kSk);
    set(e);
    set(e |= eecd::kSk);
    set(e |= eecd::kCs);
    set(e & ~eecd::kSk);
  }
  void release() {  // EE-12
    std::uint32_t e = rig_.read(reg::kEecd) & ~(eecd::kCs | eecd::kDi);
    set(e);
    clock(e);
    if (arbitrated_) set(e & ~eecd::kReq);
  }

  NicRig& rig_;
  bool arbitrated_;
};

class EepromTest : public ::testing::TestWithParam<Part> {};

TEST_P(EepromTest, SumsToBabaByBitBang) {
  NicRig rig(GetParam());
  rig.run([&] {
    Microwire device(rig, GetParam() != Part::k82544gc);
    const EepromImage image = EepromImage::make(GetParam(), kRigMac);
    std::uint16_t sum = 0;
    for (unsigned i = 0; i < 64; ++i) {
      const std::uint16_t word = device.read(i);
      EXPECT_EQ(word, image.word(i)) << i;
      sum = static_cast<std::uint16_t>(sum + word);
    }
    EXPECT_EQ(sum, 0xBABA);
  });
}
INSTANTIATE_TEST_SUITE_P(SelfTest, EepromTest,
                         ::testing::Values(Part::k82540em, Part::k82544gc, Part::k82545em,
                                           Part::k82545gm),
                         [](const auto& info) {
                           return "Part" + std::string(part_info(info.param).name);
                         });

TEST(SelfTest, Ee6GrantWaitsForTheAutomaticLoad) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kEecd, eecd::kReq | 0x10);
    NicRig::wait_for(us(499));
    EXPECT_EQ(rig.read(reg::kEecd) & eecd::kGnt, 0U);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.read(reg::kEecd) & eecd::kGnt, eecd::kGnt);
    rig.write(reg::kEecd, 0x10);
    EXPECT_EQ(rig.read(reg::kEecd) & eecd::kGnt, 0U);
  });
}

TEST(SelfTest, Ee1EerdReadsOneWordInItsTime) {
  NicRig rig;
  rig.run([&] {
    NicRig::wait_for(ms(1));
    const EepromImage image = EepromImage::make(Part::k82540em, kRigMac);
    for (const unsigned address : {0U, 1U, 0x3FU}) {
      rig.write(reg::kEerd, address << eerd::kAddrShift | eerd::kStart);
      EXPECT_EQ(rig.read(reg::kEerd) & eerd::kDone, 0U);
      NicRig::wait_for(us(26));
      EXPECT_EQ(rig.read(reg::kEerd) & 0xFFFF0010,
                eerd::kDone | std::uint32_t{image.word(address)} << eerd::kDataShift);
    }
    rig.write(reg::kEerd, 0xFF << eerd::kAddrShift | eerd::kStart);  // beyond the end
    NicRig::wait_for(us(26));
    EXPECT_EQ(rig.read(reg::kEerd) >> 16, image.word(0x3F));
  });
}

/// The loopback test of `ethtool -t`, as Linux sets it up and runs it.
class Loopback {
 public:
  static constexpr std::uint32_t kEntries = 256;
  static constexpr std::uint64_t kBuffer = 0x400000;

  explicit Loopback(NicRig& rig) : rig_(rig) {}

  void set_up() {
    rig_.setup_tx(kEntries, 0);
    for (std::uint32_t i = 0; i < kEntries; ++i) {
      std::uint8_t* d = rig_.tx_descriptor(i);
      std::fill(d, d + 16, std::uint8_t{0});
      store_le64(d, kTxBuffers + i * 1024);
      store_le32(d + 8, 1024U | std::uint32_t{tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRps} << 24);
      store_le64(rig_.rx_descriptor(i), kBuffer + i * 2048);
      // Whatever was in memory: addresses of many kinds, also types that mean something.
      std::uint8_t* b = &rig_.ram.bytes()[kTxBuffers + i * 1024];
      for (std::uint32_t j = 0; j < 1024; ++j) b[j] = static_cast<std::uint8_t>(i * 31 + j * j * 7);
      if (i % 3 == 0) store_be16(b + 12, 0x8808);
    }
    rig_.write(reg::kTctl, tctl::kEn | tctl::kPsp | 15 << 4 | 63 << 12);
    rig_.write(reg::kRctl, 0);
    rig_.write(reg::kRdbal, kRxRing);
    rig_.write(reg::kRdlen, kEntries * 16);
    rig_.write(reg::kRdh, 0);
    rig_.write(reg::kRdt, 0);
    rig_.write(reg::kRctl, rctl::kEn | rctl::kBam);
    rig_.phy_write(16, 0x0808);
    rig_.phy_write(0, 0x9140);
    rig_.phy_write(0, 0x8140);
    rig_.phy_write(0, 0x4140);
    rig_.write(reg::kCtrl, rig_.read(reg::kCtrl) | ctrl::kFrcspd | ctrl::kFrcdpx |
                               2 << ctrl::kSpeedShift | ctrl::kFd | ctrl::kIlos);
    for (const auto& [number, value] :
         {std::pair{29U, 0x001F}, {30U, 0x8FFC}, {29U, 0x001A}, {30U, 0x8FF0}}) {
      rig_.phy_write(number, static_cast<std::uint16_t>(value));
    }
    NicRig::wait_for(us(500));
  }

  /// One round; the code that ethtool would report.
  int round() {
    for (std::uint32_t i = 0; i < 64; ++i) {
      std::uint8_t* b = &rig_.ram.bytes()[kTxBuffers + i * 1024];
      std::fill(b, b + 1024, std::uint8_t{0xFF});
      std::fill(b + 512, b + 1023, std::uint8_t{0xAA});
      b[522] = 0xBE;
      b[524] = 0xAF;
    }
    tail_ = (tail_ + 64) % kEntries;
    rig_.write(reg::kTdt, tail_);
    NicRig::wait_for(ms(2));  // 0.54 ms of frames; Linux sleeps 200 ms
    int good = 0;
    for (std::uint32_t scanned = 0; good < 64 && scanned < 4 * kEntries; ++scanned) {
      const std::uint8_t* b = &rig_.ram.bytes()[kBuffer + scan_ * 2048];
      if (b[3] == 0xFF && b[522] == 0xBE && b[524] == 0xAF) ++good;
      scan_ = (scan_ + 1) % kEntries;
    }
    return good == 64 ? 0 : 13;
  }

 private:
  NicRig& rig_;
  std::uint32_t tail_ = 0, scan_ = 0;
};

void ethtool_loopback(Part part, Time quantum) {
  NicRig rig(part, quantum);
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRfce | ctrl::kTfce);
    rig.write(reg::kFcal, 0x00C28001);
    rig.write(reg::kFcah, 0x00000100);
    rig.write(reg::kFct, 0x8808);
    rig.write(reg::kFcttv, 0xFFFF);
    rig.write(reg::kFcrth, 0xA900);
    rig.write(reg::kFcrtl, 0xA8F8 | fcrtl::kXone);
    Loopback test(rig);
    test.set_up();
    rig.write(reg::kRdt, 255);
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(test.round(), 0) << "round " << i;
      EXPECT_EQ(rig.read(reg::kTdh), rig.read(reg::kTdt)) << "round " << i;
    }
    const std::uint32_t sent = rig.counter(Counter::kGptc);
    EXPECT_EQ(sent, 640U);
  });
  EXPECT_TRUE(rig.far.received.empty()) << "loopback frames must not reach the wire";
}

TEST(SelfTest, EthtoolLoopback82540em) { ethtool_loopback(Part::k82540em, kTimeZero); }
TEST(SelfTest, EthtoolLoopback82540emLooselyTimed) { ethtool_loopback(Part::k82540em, us(50)); }
TEST(SelfTest, EthtoolLoopback82544gc) { ethtool_loopback(Part::k82544gc, kTimeZero); }
TEST(SelfTest, EthtoolLoopback82545gm) { ethtool_loopback(Part::k82545gm, kTimeZero); }

TEST(SelfTest, Lb2MacLoopbackDoesNotHearTheWire) {  // 13.4.22
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.setup_rx(8, rctl::kEn | rctl::kBam | rctl::kLbmMask);
    rig.far.send(NicRig::frame(100));
    rig.put_legacy(0, NicRig::frame(200));
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(10));
    rig.far.send(NicRig::frame(100));
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    EXPECT_EQ(rig.rx_length(0), 204U);
    EXPECT_EQ(rig.counter(Counter::kTpr), 1U);
    EXPECT_EQ(rig.dropped(Drop::kRxNoLink), 2U);
    rig.write(reg::kRctl, rctl::kEn | rctl::kBam);
    rig.far.send(NicRig::frame(100));
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kRdh), 2U);
  });
  EXPECT_TRUE(rig.far.received.empty());
}

TEST(SelfTest, Lb2MacLoopbackNeedsNoCable) {
  NicRig rig;
  rig.cable.plug(false);
  rig.run([&] {
    rig.setup_tx();
    rig.setup_rx(8, rctl::kEn | rctl::kBam | rctl::kLbmMask);
    for (std::uint8_t i = 0; i < 3; ++i) {
      rig.put_legacy(i, NicRig::frame(100 + i, i), tx_cmd::kEop | tx_cmd::kIfcs);
    }
    rig.write(reg::kTdt, 3);
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kRdh), 3U);
    for (std::uint8_t i = 0; i < 3; ++i) {
      EXPECT_EQ(rig.rx_data(i, 100U + i), NicRig::frame(100 + i, i));
    }
    EXPECT_EQ(rig.counter(Counter::kGprc), 3U);
  });
  EXPECT_TRUE(rig.far.received.empty());
}

TEST(SelfTest, Lb5LoopedFramesWaitInTheQueueWhileReceiveIsStalled) {
  NicRig rig;
  rig.run([&] {
    rig.setup_tx(64);
    rig.setup_rx(8, rctl::kEn | rctl::kBam | rctl::kLbmMask);
    for (std::uint32_t i = 0; i < 60; ++i) {
      rig.put_legacy(i, NicRig::frame(1000), tx_cmd::kEop | tx_cmd::kIfcs);
    }
    rig.write(reg::kTdt, 60);
    NicRig::wait_for(ms(2));
    EXPECT_EQ(rig.read(reg::kTdh), 60U);
    EXPECT_EQ(rig.read(reg::kRdh), 7U);
    // 48 KiB hold 48 frames of 1008; seven are in memory.
    EXPECT_EQ(rig.counter(Counter::kMpc), 60U - 7U - 48U);
    EXPECT_EQ(rig.dropped(Drop::kRxFifoFull), 5U);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
