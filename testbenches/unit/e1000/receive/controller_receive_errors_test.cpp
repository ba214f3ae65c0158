/// Bad, short and long frames, shortage and overflow (rules RX-6 to RX-8, RX-30, ST-3).

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

using Octets = std::vector<std::uint8_t>;
constexpr std::uint32_t kPlain = rctl::kEn | rctl::kBam;

link::FramePtr broken(std::size_t size) {
  const Octets content = NicRig::frame(size);
  link::FramePtr frame = link::FramePool::shared().copy({content.data(), content.size()});
  frame->carry_fcs(frame->fcs() ^ 1);
  return frame;
}

void with_receiver(NicRig& rig, std::uint32_t rctl, const std::function<void()>& script) {
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(8, rctl);
    script();
  });
}
std::uint32_t deliver(NicRig& rig, const link::FramePtr& frame) {
  const std::uint32_t before = rig.read(reg::kRdh);
  rig.far.send(frame);
  NicRig::wait_for(wire_time(frame->size()) + us(5));
  return rig.read(reg::kRdh) - before;
}
std::uint32_t deliver(NicRig& rig, std::size_t size) {
  Octets content = NicRig::frame(std::max<std::size_t>(size, 14));
  content.resize(size);
  return deliver(rig, link::FramePool::shared().copy({content.data(), content.size()}));
}

TEST(ReceiveErrors, Rx6LimitIs1522WithoutLpe) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    EXPECT_EQ(deliver(rig, 1518), 1U);
    EXPECT_EQ(deliver(rig, 1519), 0U);
    EXPECT_EQ(rig.counter(Counter::kRoc), 1U);
    EXPECT_EQ(rig.counter(Counter::kRlec), 1U);
    EXPECT_EQ(rig.counter(Counter::kPrc1522), 1U);
    EXPECT_EQ(rig.counter(Counter::kTpr), 2U);
    EXPECT_EQ(rig.dropped(Drop::kRxOversize), 1U);
  });
}

TEST(ReceiveErrors, Rx6LimitIs16384WithLpe) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kLpe | rctl::kBsex | 1 << rctl::kBsizeShift, [&] {
    EXPECT_EQ(deliver(rig, 16380), 1U);
    EXPECT_EQ(rig.rx_length(0), 16384);
    EXPECT_EQ(deliver(rig, 16381), 0U);
    EXPECT_EQ(rig.counter(Counter::kRoc), 1U);
  });
}

TEST(ReceiveErrors, Rx8SbpStoresOversizeUpToTheBuffers) {  // CVE-2012-6075
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kSbp, [&] {
    std::fill(rig.rx_buffer(0), rig.rx_buffer(1), std::uint8_t{0xEE});
    EXPECT_EQ(deliver(rig, 3000), 2U);
    EXPECT_EQ(rig.rx_length(0), 2048);
    EXPECT_EQ(rig.rx_length(1), 3004 - 2048);
    EXPECT_EQ(rig.rx_buffer(0)[2048], 0xEE);
    EXPECT_EQ(rig.counter(Counter::kRoc), 1U);
    EXPECT_EQ(rig.counter(Counter::kGprc), 0U);
  });
}

TEST(ReceiveErrors, Rx7Undersize) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    EXPECT_EQ(deliver(rig, 59), 0U);
    EXPECT_EQ(rig.counter(Counter::kRuc), 1U);
    EXPECT_EQ(deliver(rig, broken(40)), 0U);
    EXPECT_EQ(rig.counter(Counter::kRfc), 1U);
    EXPECT_EQ(rig.counter(Counter::kRlec), 2U);
    EXPECT_EQ(rig.dropped(Drop::kRxUndersize), 2U);
  });
}

TEST(ReceiveErrors, Rx8BadFcsIsDroppedWithoutSbp) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    EXPECT_EQ(deliver(rig, broken(100)), 0U);
    EXPECT_EQ(rig.counter(Counter::kCrcerrs), 1U);
    EXPECT_EQ(rig.counter(Counter::kGprc), 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxBadFcs), 1U);
  });
}

TEST(ReceiveErrors, Rx8BadFcsIsStoredWithSbp) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kSbp, [&] {
    const link::FramePtr frame = broken(100);
    EXPECT_EQ(deliver(rig, frame), 1U);
    EXPECT_EQ(rig.rx_errors_of(0), rx_error::kCe);
    EXPECT_EQ(rig.rx_length(0), 104);
    EXPECT_EQ(load_le32(rig.rx_buffer(0) + 100), frame->fcs());
    EXPECT_EQ(rig.counter(Counter::kCrcerrs), 1U);
    EXPECT_EQ(rig.counter(Counter::kGprc), 0U);
    EXPECT_EQ(deliver(rig, 59), 1U);  // runts as well
    EXPECT_EQ(rig.rx_errors_of(1), 0);
  });
}

TEST(ReceiveErrors, CodingErrorsSetRxe) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kSbp, [&] {
    const Octets content = NicRig::frame(100);
    link::FramePtr frame = link::FramePool::shared().copy({content.data(), content.size()});
    frame->coding_error = true;
    EXPECT_EQ(deliver(rig, frame), 1U);
    EXPECT_EQ(rig.rx_errors_of(0), rx_error::kRxe);
    EXPECT_EQ(rig.counter(Counter::kRxerrc), 1U);
    rig.write(reg::kRctl, kPlain);
    EXPECT_EQ(deliver(rig, frame), 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxBadFcs), 1U);
  });
}

TEST(ReceiveErrors, FramesTooShortForAHeaderAreDropped) {
  NicRig rig;
  with_receiver(rig, kPlain | rctl::kSbp | rctl::kUpe | rctl::kMpe, [&] {
    for (const std::size_t size : {0U, 1U, 5U, 13U}) EXPECT_EQ(deliver(rig, size), 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxFiltered), 4U);
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kVme | ctrl::kRfce);
    Octets tag = NicRig::frame(15, 0, kRigMac, 0x8100);
    EXPECT_EQ(deliver(rig, link::FramePool::shared().copy({tag.data(), tag.size()})), 1U);
    EXPECT_EQ(rig.rx_status_of(0) & rx_status::kVp, 0U);
  });
}

TEST(ReceiveErrors, Rx30NoDescriptorThenDeliveryWhenTheTailMoves) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kRdlen, 128);
    rig.write(reg::kRctl, kPlain);
    rig.far.send(NicRig::frame(60, 1));
    rig.far.send(NicRig::frame(60, 2));
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.counter(Counter::kRnbc), 2U);
    EXPECT_EQ(rig.counter(Counter::kMpc), 0U);
    rig.setup_rx();
    NicRig::wait_for(us(2));
    EXPECT_EQ(rig.rx_data(0, 60), NicRig::frame(60, 1));
    EXPECT_EQ(rig.rx_data(1, 60), NicRig::frame(60, 2));
    EXPECT_EQ(rig.counter(Counter::kGprc), 2U);
  });
}

TEST(ReceiveErrors, Rx30OverflowCountsMpcAndRaisesRxo) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.write(reg::kPba, 2);  // 2 KiB
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRst);
    NicRig::wait_for(us(2));
    rig.bring_up();
    rig.write(reg::kRctl, kPlain);
    // 1004 with FCS, 1008 in 64-bit words: two fit.
    for (int i = 0; i < 5; ++i) rig.far.send(NicRig::frame(1000, static_cast<std::uint8_t>(i)));
    NicRig::wait_for(us(100));
    EXPECT_EQ(rig.read(reg::kIcr), cause::kRxo);
    EXPECT_EQ(rig.counter(Counter::kMpc), 3U);
    EXPECT_EQ(rig.counter(Counter::kRnbc), 5U);
    EXPECT_EQ(rig.counter(Counter::kTpr), 5U);
    EXPECT_EQ(rig.counter(Counter::kGprc), 2U);
    EXPECT_EQ(rig.read(0x40C0), 5U * 1004U);
    EXPECT_EQ(rig.read(0x4088), 2U * 1004U);
    EXPECT_EQ(rig.dropped(Drop::kRxFifoFull), 3U);
    rig.setup_rx();
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.read(reg::kRdh), 2U);
    EXPECT_EQ(rig.rx_data(1, 1000), NicRig::frame(1000, 1));
  });
}

TEST(ReceiveErrors, SlowMemoryOverflowsThePacketBuffer) {
  RigOptions options;
  options.memory_latency = us(50);
  NicRig rig(options);
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx(128, kPlain);
    for (int i = 0; i < 100; ++i) rig.far.send(NicRig::frame(1500));
    NicRig::wait_for(ms(20));
    const std::uint32_t stored = rig.read(reg::kRdh), missed = rig.counter(Counter::kMpc);
    EXPECT_EQ(stored + missed, 100U);
    EXPECT_GT(missed, 20U);
    EXPECT_EQ(rig.counter(Counter::kRnbc), 0U);
    EXPECT_EQ(rig.dropped(Drop::kRxFifoFull), missed);
  });
}

TEST(ReceiveErrors, DescriptorsPointingNowhereLoseTheFrameAndAreReported) {
  NicRig rig;
  with_receiver(rig, kPlain, [&] {
    store_le64(rig.rx_descriptor(0), 0xFFFF'FFFF'0000'0000);
    EXPECT_EQ(deliver(rig, 100), 1U);
    EXPECT_EQ(rig.rx_errors_of(0), rx_error::kRxe);
    EXPECT_EQ(rig.dropped(Drop::kRxDmaError), 1U);
    EXPECT_EQ(deliver(rig, 100), 1U);
    EXPECT_EQ(rig.rx_errors_of(1), 0);
  });
}

TEST(ReceiveErrors, RingNowhereRestsUntilItIsSetUpAnew) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx();
    rig.write(reg::kRdbah, 0x1234);
    rig.far.send(NicRig::frame(60, 9));
    NicRig::wait_for(us(20));
    EXPECT_EQ(rig.read(reg::kRdh), 0U);
    rig.setup_rx();
    NicRig::wait_for(us(5));
    EXPECT_EQ(rig.rx_data(0, 60), NicRig::frame(60, 9));
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
