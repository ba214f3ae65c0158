/// The way of a frame through the bare controller, both directions, in both accuracies.

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

void transmit_one(Time quantum) {
  NicRig rig(Part::k82540em, quantum);
  const auto sent = NicRig::frame(100);
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.write(reg::kIms, cause::kTxdw);
    rig.put_legacy(0, sent);
    rig.write(reg::kTdt, 1);
    EXPECT_TRUE(NicRig::wait_until([&] { return (rig.tx_descriptor(0)[12] & tx_status::kDd) != 0; },
                                   us(100)));
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kTdh), 1U);
    EXPECT_TRUE(rig.irq.read());
    EXPECT_EQ(rig.read(reg::kIcr) & (cause::kTxdw | cause::kTxqe), cause::kTxdw | cause::kTxqe);
    NicRig::wait_for(us(1));
    EXPECT_FALSE(rig.irq.read());
    EXPECT_EQ(rig.read(0x4080), 1U);  // GPTC
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(rig.far.bytes(0), sent);
}

void receive_one(Time quantum) {
  NicRig rig(Part::k82540em, quantum);
  const auto sent = NicRig::frame(100);
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx();
    rig.write(reg::kIms, cause::kRxt0);
    rig.far.send(sent);
    EXPECT_TRUE(NicRig::wait_until([&] { return (rig.rx_descriptor(0)[12] & rx_status::kDd) != 0; },
                                   us(100)));
    NicRig::wait_for(us(1) + quantum);
    EXPECT_EQ(load_le16(rig.rx_descriptor(0) + 8), 104);
    EXPECT_EQ(rig.rx_descriptor(0)[12], rx_status::kDd | rx_status::kEop | rx_status::kIxsm);
    EXPECT_EQ(std::vector<std::uint8_t>(rig.rx_buffer(0), rig.rx_buffer(0) + 100), sent);
    EXPECT_EQ(load_le32(rig.rx_buffer(0) + 100), link::ethernet_fcs({sent.data(), sent.size()}));
    EXPECT_EQ(rig.read(reg::kRdh), 1U);
    EXPECT_TRUE(rig.irq.read());
    EXPECT_EQ(rig.read(reg::kIcr), cause::kRxt0);
  });
  EXPECT_EQ(rig.nic.interrupts(), 1U);
}

TEST(Controller, TransmitsALegacyFrameApproximatelyTimed) { transmit_one(kTimeZero); }
TEST(Controller, TransmitsALegacyFrameLooselyTimed) { transmit_one(us(10)); }
TEST(Controller, ReceivesAFrameApproximatelyTimed) { receive_one(kTimeZero); }
TEST(Controller, ReceivesAFrameLooselyTimed) { receive_one(us(10)); }

TEST(Controller, RegistersReadTheirResetValuesAndStationAddress) {
  NicRig rig;
  rig.run([&] {
    EXPECT_EQ(rig.read(reg::kRa), 0x12005452U);
    EXPECT_EQ(rig.read(reg::kRa + 4), 0x80005634U);
    EXPECT_EQ(rig.read(reg::kPba), 0x00100030U);
    EXPECT_EQ(rig.read(reg::kCtrl) & ctrl::kRst, 0U);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
