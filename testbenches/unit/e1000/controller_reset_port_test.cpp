/// RST# as a port, of a controller without PCI and of a function.

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

RigOptions with_port(bool behind_function = false) {
  RigOptions options;
  options.reset_port = true;
  options.behind_function = behind_function;
  return options;
}

TEST(ResetPort, ResetsTheControllerAndHoldsIt) {
  NicRig rig(with_port());
  rig.run([&] {
    const std::uint32_t status = rig.read(reg::kStatus);
    rig.bring_up();
    rig.setup_tx();
    rig.write(reg::kIms, 0xFF);
    rig.rst = true;
    NicRig::wait_for(ns(1));
    EXPECT_EQ(rig.read(reg::kStatus), 0xFFFFFFFFU) << "nobody drives the bus";
    rig.write(reg::kIms, 0x10);
    rig.rst = false;
    NicRig::wait_for(ns(1));
    EXPECT_EQ(rig.read(reg::kStatus), status) << "as after power-up, without link";
    EXPECT_EQ(rig.read(reg::kIms), 0U) << "reset, and the write meanwhile had no effect";
    EXPECT_EQ(rig.read(reg::kTctl), 0U);
  });
}

TEST(ResetPort, TheControllerWorksAgainAfterwards) {
  NicRig rig(with_port());
  rig.run([&] {
    rig.rst = true;
    NicRig::wait_for(us(1));
    rig.rst = false;
    NicRig::wait_for(us(1));
    rig.bring_up();
    rig.setup_tx();
    rig.put_legacy(0, std::vector<std::uint8_t>(60, 0x55));
    rig.write(reg::kTdt, 1);
    EXPECT_TRUE(NicRig::wait_until([&] { return !rig.far.received.empty(); }, ms(1)));
  });
}

TEST(ResetPort, NothingIsMasteredMeanwhile) {
  NicRig rig(with_port());
  rig.run([&] {
    rig.bring_up();
    rig.setup_rx();
    rig.rst = true;
    NicRig::wait_for(us(1));
    rig.far.send(std::vector<std::uint8_t>(60, 0xFF));
    NicRig::wait_for(ms(1));
    EXPECT_EQ(rig.rx_descriptor(0)[12] & 1U, 0U) << "DD";
  });
}

TEST(ResetPort, AFunctionAnswersNothing) {
  NicRig rig(with_port(true));
  rig.run([&] {
    rig.config_write(0x04, 0x6);
    EXPECT_EQ(rig.function->config().command() & 0x6U, 0x6U);
    rig.rst = true;
    NicRig::wait_for(ns(1));
    std::uint32_t value = 0;
    ::tlm::tlm_generic_payload p;
    p.set_command(::tlm::TLM_READ_COMMAND);
    p.set_address(0);
    p.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    p.set_data_length(4);
    p.set_streaming_width(4);
    pci::PciExtension extension;
    extension.space = pci::Space::kConfig;
    p.set_extension(&extension);
    sc_core::sc_time delay;
    rig.pci_config->b_transport(p, delay);
    EXPECT_EQ(p.get_response_status(), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    EXPECT_EQ(value, 0xFFFFFFFFU);
    rig.rst = false;
    NicRig::wait_for(ns(1));
    rig.pci_config->b_transport(p, delay);
    EXPECT_EQ(value, 0x100E8086U);
    p.clear_extension(&extension);
    EXPECT_EQ(rig.function->config().command() & 0x6U, 0U) << "RST# clears the command register";
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
