/// PAUSE in both directions (rules FC-1 to FC-8).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

using Octets = std::vector<std::uint8_t>;
constexpr MacAddress kPauseGroup{0x01, 0x80, 0xC2, 0x00, 0x00, 0x01};
constexpr std::uint8_t kSilent = tx_cmd::kEop | tx_cmd::kIfcs;

Octets pause(std::uint16_t quanta, MacAddress to = kPauseGroup, std::uint16_t opcode = 1) {
  Octets f(60);
  std::copy(to.begin(), to.end(), f.begin());
  f[6] = 0x02;
  f[11] = 0x01;
  store_be16(&f[12], 0x8808);
  store_be16(&f[14], opcode);
  store_be16(&f[16], quanta);
  return f;
}

/// As Linux sets it (FC-6).
void set_up(NicRig& rig, std::uint32_t flow_control, std::uint32_t entries = 64) {
  rig.bring_up();
  rig.write(reg::kFcal, 0x00C28001);
  rig.write(reg::kFcah, 0x00000100);
  rig.write(reg::kFct, 0x8808);
  rig.write(reg::kFcttv, 0x1234);
  rig.write(reg::kCtrl, rig.read(reg::kCtrl) | flow_control);
  rig.setup_tx(entries);
  rig.setup_rx(8);
}
void queue(NicRig& rig, std::uint32_t from, std::uint32_t count, std::size_t size = 60) {
  for (std::uint32_t i = from; i < from + count; ++i)
    rig.put_legacy(i, NicRig::frame(size), kSilent);
  rig.write(reg::kTdt, from + count);
}

TEST(FlowControl, Fc1PauseStopsAfterTheCurrentFrameForItsTime) {
  NicRig rig;
  Time heard{};
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    rig.far.send(pause(10));  // 5.12 us, heard 576 + 50 ns from now
    heard = sc_now() + ns(576) + kPropagation;
    queue(rig, 0, 20);
    NicRig::wait_for(us(1));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kTxoff, status::kTxoff);
    NicRig::wait_for(us(30));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kTxoff, 0U);
    EXPECT_EQ(rig.counter(Counter::kXoffrxc), 1U);
    EXPECT_EQ(rig.counter(Counter::kXonrxc), 0U);
    EXPECT_EQ(rig.counter(Counter::kGprc), 0U);  // FC-5
    EXPECT_EQ(rig.counter(Counter::kTpr), 1U);
  });
  ASSERT_EQ(rig.far.received.size(), 20U);
  // The first frame was on the wire; the second waits for the end of the pause.
  EXPECT_LT(rig.far.received[0].first_bit - kPropagation, heard);
  EXPECT_EQ(rig.far.received[1].first_bit, heard + ns(5120) + kPropagation);
  EXPECT_EQ(rig.far.received[2].first_bit - rig.far.received[1].last_bit, ns(96));
}

TEST(FlowControl, Fc1XonEndsAPause) {
  NicRig rig;
  Time heard{};
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    rig.far.send(pause(0xFFFF));
    NicRig::wait_for(us(2));
    queue(rig, 0, 2);
    NicRig::wait_for(us(50));
    EXPECT_TRUE(rig.far.received.empty());
    rig.far.send(pause(0));
    heard = sc_now() + ns(576) + kPropagation;
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.counter(Counter::kXonrxc), 1U);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  EXPECT_EQ(rig.far.received[0].first_bit, heard + kPropagation);
}

/// Manual 8.7.3 names what ends a pause: its timer and an XON. CTRL.RFCE is not among them: it
/// decides which frames are obeyed when they come.
TEST(FlowControl, Fc1ClearingRfceDoesNotEndAPause) {
  NicRig rig;
  Time heard{};
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    rig.far.send(pause(40));  // 20.48 us
    heard = sc_now() + ns(576) + kPropagation;
    NicRig::wait_for(us(2));
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) & ~ctrl::kRfce);
    queue(rig, 0, 1);
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kTxoff, status::kTxoff);
    rig.far.send(pause(0));  // without RFCE no XON
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kTxoff, 0U);
    EXPECT_EQ(rig.counter(Counter::kXonrxc), 0U);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.received[0].first_bit, heard + ns(20'480) + kPropagation);
}

TEST(FlowControl, Fc2NewPauseReloadsTheTimer) {
  NicRig rig;
  Time heard{};
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    rig.far.send(pause(100));  // 51.2 us
    NicRig::wait_for(us(10));
    queue(rig, 0, 1);
    rig.far.send(pause(20));  // 10.24 us from now
    heard = sc_now() + ns(576) + kPropagation;
    NicRig::wait_for(us(60));
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.received[0].first_bit, heard + ns(10'240) + kPropagation);
}

TEST(FlowControl, Fc1WithoutRfceAPauseIsAFrameLikeAnyOther) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, 0);
    rig.far.send(pause(0xFFFF, kRigMac));
    NicRig::wait_for(us(5));
    queue(rig, 0, 1);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    EXPECT_EQ(rig.counter(Counter::kXoffrxc), 0U);
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(FlowControl, Fc1BadFcsMakesNoPause) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    const Octets content = pause(0xFFFF);
    link::FramePtr frame = link::FramePool::shared().copy({content.data(), content.size()});
    frame->carry_fcs(frame->fcs() ^ 0x80);
    rig.far.send(frame);
    NicRig::wait_for(us(5));
    queue(rig, 0, 1);
    NicRig::wait_for(us(5));
  });
  EXPECT_EQ(rig.far.received.size(), 1U);
}

TEST(FlowControl, Fc2DpfAndPmcf) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    rig.far.send(pause(1, kRigMac));  // DPF off: passed on to the address filter
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    rig.write(reg::kRctl, rctl::kEn | rctl::kDpf);
    rig.far.send(pause(1, kRigMac));
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    EXPECT_EQ(rig.counter(Counter::kXoffrxc), 2U);
    rig.far.send(pause(1, kRigMac, 0x0101));  // an opcode nobody knows
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    rig.write(reg::kRctl, rctl::kEn | rctl::kPmcf);
    rig.far.send(pause(1, kRigMac, 0x0101));
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 2U);
    EXPECT_EQ(rig.counter(Counter::kFcruc), 2U);
    EXPECT_EQ(rig.dropped(Drop::kRxMacControl), 2U);
  });
}

TEST(FlowControl, Fc5PauseThatTheHostGetsIsNoGoodFrame) {  // 13.7.22 to 13.7.33
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    rig.write(reg::kRctl, rctl::kEn | rctl::kUpe | rctl::kMpe | rctl::kBam);
    rig.far.send(pause(1));
    rig.far.send(pause(1, kRigMac));
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 2U);
    rig.write(reg::kRdt, 2);  // no descriptors
    rig.far.send(pause(0));
    NicRig::wait_for(us(5));
    for (const Counter counter :
         {Counter::kGprc, Counter::kMprc, Counter::kPrc64, Counter::kRnbc, Counter::kBprc}) {
      EXPECT_EQ(rig.counter(counter), 0U) << std::hex << offset_of(counter);
    }
    EXPECT_EQ(rig.read(offset_of(OctetCounter::kGorc)), 0U);
    EXPECT_EQ(rig.counter(Counter::kXoffrxc), 2U);
    EXPECT_EQ(rig.counter(Counter::kXonrxc), 1U);
    EXPECT_EQ(rig.counter(Counter::kTpr), 3U);
    rig.write(reg::kRdt, 7);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 3U) << "it is received all the same";
  });
}

TEST(FlowControl, Fc2PmcfPassesWhatNoFilterKnows) {  // 8.7.4
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    const MacAddress group{0x01, 0x80, 0xC2, 0x00, 0x00, 0x01};
    rig.write(reg::kRctl, rctl::kEn | rctl::kPmcf);
    rig.far.send(pause(1, group, 0x0101));
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    EXPECT_EQ(rig.rx_status_of(0) & rx_status::kPif, 0);
    rig.far.send(pause(1, group));  // PAUSE itself is no business of PMCF's
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    rig.write(reg::kRctl, rctl::kEn);
    rig.far.send(pause(1, group, 0x0101));
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    EXPECT_EQ(rig.counter(Counter::kFcruc), 2U);
  });
}

/// 2 KiB packet buffer, no descriptors; XOFF at 1024 bytes, XON at 512.
void small_buffer(NicRig& rig, std::uint32_t flow_control) {
  rig.write(reg::kPba, 2);
  rig.write(reg::kCtrl, ctrl::kRst);
  NicRig::wait_for(us(2));
  set_up(rig, flow_control);
  rig.write(reg::kRctl, 0);
  rig.setup_rx(8, 0);
  rig.write(reg::kRdt, 0);
  rig.write(reg::kRctl, rctl::kEn | rctl::kBam);
  rig.write(reg::kFcrth, 1024);
  rig.write(reg::kFcrtl, 512 | fcrtl::kXone);
}

TEST(FlowControl, Fc3XoffAtTheHighMarkXonAtTheLow) {
  NicRig rig;
  Time filled{};
  rig.run([&] {
    small_buffer(rig, ctrl::kTfce);
    for (int i = 0; i < 4; ++i) rig.far.send(NicRig::frame(396));  // 400 bytes each
    filled = sc_now() + 3 * wire_time(396) + 2 * ns(96) + kPropagation;
    NicRig::wait_for(us(30));
    ASSERT_EQ(rig.far.received.size(), 1U);
    EXPECT_EQ(rig.far.received[0].first_bit, filled + kPropagation);
    Octets expected = pause(0x1234);
    std::copy(kRigMac.begin(), kRigMac.end(), expected.begin() + 6);
    EXPECT_EQ(rig.far.bytes(0), expected);
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 1U);
    rig.write(reg::kRdt, 7);
    NicRig::wait_for(us(10));
    ASSERT_EQ(rig.far.received.size(), 2U);
    EXPECT_EQ(load_be16(&rig.far.bytes(1)[16]), 0);
    EXPECT_EQ(rig.counter(Counter::kXontxc), 1U);
    EXPECT_EQ(rig.counter(Counter::kGptc), 0U);  // FC-5
    EXPECT_EQ(rig.counter(Counter::kTpt), 2U);
    EXPECT_EQ(rig.counter(Counter::kMptc), 0U);
  });
}

TEST(FlowControl, Fc3XoffIsRepeatedOnceAnOverflow) {
  NicRig rig;
  rig.run([&] {
    small_buffer(rig, ctrl::kTfce);
    for (int i = 0; i < 9; ++i) rig.far.send(NicRig::frame(396));
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.counter(Counter::kMpc), 4U);  // five of 400 bytes fit
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 2U);
    rig.write(reg::kRdt, 1);  // makes room for one
    NicRig::wait_for(us(5));
    for (int i = 0; i < 3; ++i) rig.far.send(NicRig::frame(396));
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.counter(Counter::kMpc), 2U);
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 1U);
  });
}

TEST(FlowControl, Fc3WithoutTfceNothingIsSent) {
  NicRig rig;
  rig.run([&] {
    small_buffer(rig, 0);
    for (int i = 0; i < 6; ++i) rig.far.send(NicRig::frame(396));
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 0U);
    EXPECT_EQ(rig.counter(Counter::kMpc), 1U);  // five of 400 bytes fit
  });
  EXPECT_TRUE(rig.far.received.empty());
}

TEST(FlowControl, Fc4SwxoffSendsOnePause) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, 0);
    rig.write(reg::kTctl, tctl::kEn | tctl::kPsp | tctl::kSwxoff);
    EXPECT_EQ(rig.read(reg::kTctl), tctl::kEn | tctl::kPsp);
    NicRig::wait_for(us(5));
    rig.write(reg::kFcttv, 0);
    rig.write(reg::kTctl, tctl::kEn | tctl::kPsp | tctl::kSwxoff);
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 1U);
    EXPECT_EQ(rig.counter(Counter::kXontxc), 1U);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  EXPECT_EQ(load_be16(&rig.far.bytes(0)[16]), 0x1234);
  EXPECT_EQ(load_be16(&rig.far.bytes(1)[16]), 0);
}

TEST(FlowControl, Fc4SwxoffIsOneRequestHoweverOftenItIsMade) {  // 8.7.6
  NicRig rig;
  rig.run([&] {
    set_up(rig, 0);
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      rig.write(reg::kFcttv, i % 2000 == 0 ? 0 : 0x1234);
      rig.write(reg::kTctl, tctl::kEn | tctl::kPsp | tctl::kSwxoff);
    }
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 0U) << "not sent yet";
    EXPECT_EQ(rig.counter(Counter::kTpt), 0U);
    rig.cable.plug(true);
    NicRig::wait_for(ms(600));
    EXPECT_EQ(rig.counter(Counter::kXofftxc), 1U);
    EXPECT_EQ(rig.counter(Counter::kXontxc), 1U);
    EXPECT_EQ(rig.counter(Counter::kTpt), 2U);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  EXPECT_EQ(load_be16(&rig.far.bytes(1)[16]), 0x1234) << "the last request has the last word";
}

TEST(FlowControl, PauseFramesGoAheadOfWaitingData) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce | ctrl::kTfce);
    queue(rig, 0, 4, 1000);
    NicRig::wait_for(us(2));
    rig.write(reg::kTctl, tctl::kEn | tctl::kPsp | tctl::kSwxoff);
    NicRig::wait_for(us(50));
  });
  ASSERT_EQ(rig.far.received.size(), 5U);
  EXPECT_EQ(load_be16(&rig.far.bytes(1)[12]), 0x8808);
  EXPECT_EQ(rig.far.received[1].first_bit - rig.far.received[0].last_bit, ns(96));
  EXPECT_EQ(rig.far.received[2].first_bit - rig.far.received[1].last_bit, ns(96));
}

/// XON must not overtake the XOFF that came after it, nor the other way round; of two XOFFs that
/// wait the later one is sent.
TEST(FlowControl, PauseFramesThatWaitKeepTheirOrder) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce | ctrl::kTfce);
    queue(rig, 0, 2, 1000);
    NicRig::wait_for(us(2));
    for (const std::uint32_t quanta : {0x11U, 0U, 0x22U}) {
      rig.write(reg::kFcttv, quanta);
      rig.write(reg::kTctl, tctl::kEn | tctl::kPsp | tctl::kSwxoff);
    }
    NicRig::wait_for(us(50));
  });
  ASSERT_EQ(rig.far.received.size(), 4U);
  EXPECT_EQ(load_be16(&rig.far.bytes(1)[16]), 0);
  EXPECT_EQ(load_be16(&rig.far.bytes(2)[16]), 0x22);
  EXPECT_EQ(rig.far.bytes(3).size(), 1000U);
}

TEST(FlowControl, PauseWhilePausedStillGoesOut) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce | ctrl::kTfce);
    rig.far.send(pause(0xFFFF));
    NicRig::wait_for(us(2));
    queue(rig, 0, 2);
    NicRig::wait_for(us(2));
    rig.write(reg::kTctl, tctl::kEn | tctl::kPsp | tctl::kSwxoff);
    NicRig::wait_for(us(5));
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(load_be16(&rig.far.bytes(0)[12]), 0x8808);
}

TEST(FlowControl, Fc8OwnPauseInLoopbackDoesNotDeadlock) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce | ctrl::kTfce);
    rig.write(reg::kFcttv, 20);
    rig.phy_write(0, 0x4140);
    NicRig::wait_for(us(1));
    rig.write(reg::kTctl, tctl::kEn | tctl::kPsp | tctl::kSwxoff);
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.counter(Counter::kXoffrxc), 1U);
    EXPECT_EQ(rig.read(reg::kStatus) & status::kTxoff, status::kTxoff);
    queue(rig, 0, 3);
    NicRig::wait_for(us(30));
    EXPECT_EQ(rig.read(reg::kRdh), 3U);
  });
  EXPECT_TRUE(rig.far.received.empty());
}

TEST(FlowControl, LinkLossEndsThePause) {
  NicRig rig;
  rig.run([&] {
    set_up(rig, ctrl::kRfce);
    rig.far.send(pause(0xFFFF));
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kTxoff, status::kTxoff);
    rig.cable.plug(false);
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.read(reg::kStatus) & status::kTxoff, 0U);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
