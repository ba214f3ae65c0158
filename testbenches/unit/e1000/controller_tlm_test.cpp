/// The sockets: partial and wide accesses, byte enables, debug transport, errors, I/O window.

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

struct Access {
  bool write = false;
  std::uint64_t address = 0;
  std::vector<std::uint8_t> data;
  std::vector<std::uint8_t> enables{};
  std::uint32_t streaming = 0;  // 0: as long as the data
};

template <class Socket>
::tlm::tlm_response_status transport(Socket& socket, Access& a) {
  ::tlm::tlm_generic_payload p;
  p.set_command(a.write ? ::tlm::TLM_WRITE_COMMAND : ::tlm::TLM_READ_COMMAND);
  p.set_address(a.address);
  p.set_data_ptr(a.data.data());
  p.set_data_length(static_cast<unsigned>(a.data.size()));
  p.set_streaming_width(a.streaming != 0 ? a.streaming : static_cast<unsigned>(a.data.size()));
  p.set_byte_enable_ptr(a.enables.empty() ? nullptr : a.enables.data());
  p.set_byte_enable_length(static_cast<unsigned>(a.enables.size()));
  p.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay(7, sc_core::SC_NS);
  socket->b_transport(p, delay);
  EXPECT_GE(delay, sc_core::sc_time(7, sc_core::SC_NS)) << "annotated delays are never dropped";
  EXPECT_EQ(p.get_address(), a.address);
  return p.get_response_status();
}

TEST(Tlm, PartsOfADwordReadTheirBytes) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kFcal, 0x44332211);
    for (std::uint32_t i = 0; i < 4; ++i) {
      Access byte{false, reg::kFcal + i, {0xEE}};
      EXPECT_EQ(transport(rig.mmio, byte), ::tlm::TLM_OK_RESPONSE);
      EXPECT_EQ(byte.data[0], 0x11 * (i + 1));
    }
    Access middle{false, reg::kFcal + 1, {0, 0}};
    EXPECT_EQ(transport(rig.mmio, middle), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(middle.data, (std::vector<std::uint8_t>{0x22, 0x33}));
  });
}

TEST(Tlm, PartsOfADwordWriteTheirBytesOnly) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kFcal, 0x44332211);
    for (std::uint32_t i = 0; i < 4; ++i) {
      Access byte{true, reg::kFcal + i, {static_cast<std::uint8_t>(0xA0 + i)}};
      EXPECT_EQ(transport(rig.mmio, byte), ::tlm::TLM_OK_RESPONSE);
    }
    EXPECT_EQ(rig.read(reg::kFcal), 0xA3A2A1A0U);
    Access lanes{true, reg::kFcal, {0x55, 0x66, 0x77, 0x88}, {0, 0xFF}};
    EXPECT_EQ(transport(rig.mmio, lanes), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.read(reg::kFcal), 0x88A266A0U);
    // Across two registers, as drivers that count in bytes do with tables.
    rig.write(reg::kMta, 0x11111111);
    rig.write(reg::kMta + 4, 0x22222222);
    Access odd{true, reg::kMta + 3, {0, 0, 0, 0}};
    EXPECT_EQ(transport(rig.mmio, odd), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.read(reg::kMta), 0x00111111U);
    EXPECT_EQ(rig.read(reg::kMta + 4), 0x22000000U);
    // Bytes that are not written set, clear and command nothing.
    rig.write(reg::kIms, 0x8080);
    Access mask{true, reg::kImc, {0xFF}};
    EXPECT_EQ(transport(rig.mmio, mask), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.read(reg::kIms), 0x8000U);
    rig.write(reg::kIcs, 0x0101);
    Access causes{true, reg::kIcr, {0xFF}};
    EXPECT_EQ(transport(rig.mmio, causes), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.read(reg::kIcr), 0x0100U);
  });
}

TEST(Tlm, AccessesMayCoverSeveralRegisters) {
  NicRig rig;
  rig.run([&] {
    Access wide{true, reg::kRdbal, {0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE}};
    EXPECT_EQ(transport(rig.mmio, wide), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.read(reg::kRdbal), 0x76543210U);
    EXPECT_EQ(rig.read(reg::kRdbah), 0xFEDCBA98U);
    Access odd{false, reg::kRdbal + 2, std::vector<std::uint8_t>(4)};
    EXPECT_EQ(transport(rig.mmio, odd), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(odd.data, (std::vector<std::uint8_t>{0x54, 0x76, 0x98, 0xBA}));
  });
}

TEST(Tlm, ByteEnablesMaskReadsAndWrites) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kFcal, 0x44332211);
    Access read{false, reg::kFcal, {0xEE, 0xEE, 0xEE, 0xEE}, {0xFF, 0}};
    EXPECT_EQ(transport(rig.mmio, read), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(read.data, (std::vector<std::uint8_t>{0x11, 0xEE, 0x33, 0xEE}));
    // None enabled: no access, so no side effect.
    rig.write(reg::kIcs, 1);
    Access none{false, reg::kIcr, {1, 2, 3, 4}, {0}};
    EXPECT_EQ(transport(rig.mmio, none), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(none.data, (std::vector<std::uint8_t>{1, 2, 3, 4}));
    EXPECT_EQ(rig.read(reg::kIcr), 1U);
  });
}

TEST(Tlm, BrokenAttributesGetTheirErrorResponses) {
  NicRig rig;
  rig.run([&] {
    Access streaming{false, reg::kFcal, {1, 2, 3, 4}, {}, 2};
    EXPECT_EQ(transport(rig.mmio, streaming), ::tlm::TLM_BURST_ERROR_RESPONSE);
    EXPECT_EQ(streaming.data, (std::vector<std::uint8_t>{1, 2, 3, 4}));

    std::uint32_t value = 0;
    std::uint8_t enable = 0xFF;
    ::tlm::tlm_generic_payload p;
    p.set_command(::tlm::TLM_READ_COMMAND);
    p.set_address(0);
    p.set_data_ptr(reinterpret_cast<std::uint8_t*>(&value));
    p.set_data_length(4);
    p.set_streaming_width(4);
    p.set_byte_enable_ptr(&enable);
    p.set_byte_enable_length(0);
    sc_core::sc_time delay;
    rig.mmio->b_transport(p, delay);
    EXPECT_EQ(p.get_response_status(), ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    EXPECT_EQ(rig.mmio->transport_dbg(p), 4U);  // which does not know byte enables

    p.set_byte_enable_ptr(nullptr);
    p.set_command(::tlm::TLM_IGNORE_COMMAND);
    rig.mmio->b_transport(p, delay);
    EXPECT_EQ(p.get_response_status(), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.mmio->transport_dbg(p), 0U);
  });
}

TEST(Tlm, BeyondTheWindowIsAnAddressError) {
  NicRig rig;
  rig.run([&] {
    for (const std::uint64_t address :
         {std::uint64_t{kMmioBytes}, std::uint64_t{kMmioBytes} - 2, ~std::uint64_t{0},
          ~std::uint64_t{0} - 3, std::uint64_t{1} << 32}) {
      Access a{false, address, {9, 9, 9, 9}};
      EXPECT_EQ(transport(rig.mmio, a), ::tlm::TLM_ADDRESS_ERROR_RESPONSE) << std::hex << address;
      EXPECT_EQ(a.data[0], 9);
    }
    Access last{true, kMmioBytes - 4, {1, 2, 3, 4}};  // packet buffer memory
    EXPECT_EQ(transport(rig.mmio, last), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.read(kMmioBytes - 4), 0x04030201U);
    Access io{false, 8, {0, 0, 0, 0}};
    EXPECT_EQ(transport(rig.io, io), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  });
}

TEST(Tlm, DebugTransportHasNoSideEffectsAndKeepsNeighbours) {
  NicRig rig;
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx();
    rig.put_legacy(0, NicRig::frame(60));
    NicRig::wait_for(us(1));
    const auto debug_write = [&](std::uint64_t address, std::vector<std::uint8_t> data) {
      ::tlm::tlm_generic_payload p;
      p.set_command(::tlm::TLM_WRITE_COMMAND);
      p.set_address(address);
      p.set_data_ptr(data.data());
      p.set_data_length(static_cast<unsigned>(data.size()));
      return rig.mmio->transport_dbg(p);
    };
    EXPECT_EQ(debug_write(reg::kTdt, {1, 0, 0, 0}), 4U);
    NicRig::wait_for(us(10));
    EXPECT_EQ(rig.read(reg::kTdt), 1U);
    EXPECT_EQ(rig.read(reg::kTdh), 0U);  // nothing was started
    rig.write(reg::kFcal, 0x44332211);
    EXPECT_EQ(debug_write(reg::kFcal + 2, {0x99}), 1U);
    EXPECT_EQ(rig.read(reg::kFcal), 0x44992211U);
    EXPECT_EQ(debug_write(kMmioBytes, {1}), 0U);
  });
}

TEST(Tlm, NoDmiOnRegisters) {
  NicRig rig;
  rig.run([&] {
    ::tlm::tlm_generic_payload p;
    ::tlm::tlm_dmi dmi;
    p.set_address(0);
    EXPECT_FALSE(rig.mmio->get_direct_mem_ptr(p, dmi));
    EXPECT_FALSE(rig.io->get_direct_mem_ptr(p, dmi));
  });
}

TEST(Tlm, IoWindowReachesEveryRegister) {
  NicRig rig;
  rig.run([&] {
    rig.io_write(0, reg::kFcal);
    rig.io_write(4, 0xCAFEBABE);
    EXPECT_EQ(rig.read(reg::kFcal), 0xCAFEBABEU);
    EXPECT_EQ(rig.io_read(4), 0xCAFEBABEU);
    rig.io_write(0, 0xFFF0'0008 | 0x000A'0000);
    EXPECT_EQ(rig.io_read(0), 0x000A'0008U);  // 31:20 do not store
    EXPECT_EQ(rig.io_read(4), 0U);            // flash and undefined space
    rig.io_write(4, 0xFFFFFFFF);
    rig.io_write(0, reg::kFcal + 3);
    EXPECT_EQ(rig.io_read(4), 0xCAFEBABEU);  // dwords only
    rig.write(reg::kIcs, 5);
    rig.io_write(0, reg::kIcr);
    EXPECT_EQ(rig.io_read(4), 5U);
    EXPECT_EQ(rig.io_read(4), 0U);
  });
}

TEST(Tlm, IoWindowIgnoresNarrowAccesses) {
  NicRig rig;
  rig.run([&] {
    rig.io_write(0, reg::kFcal);
    rig.io_write(4, 0x11111111);
    Access narrow{true, 4, {0x99, 0x99}};
    EXPECT_EQ(transport(rig.io, narrow), ::tlm::TLM_OK_RESPONSE);
    Access masked{true, 4, {0x99, 0x99, 0x99, 0x99}, {0xFF, 0xFF, 0xFF, 0}};
    EXPECT_EQ(transport(rig.io, masked), ::tlm::TLM_OK_RESPONSE);
    Access address{true, 0, {0x2C}};
    EXPECT_EQ(transport(rig.io, address), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.io_read(0), std::uint32_t{reg::kFcal});
    EXPECT_EQ(rig.read(reg::kFcal), 0x11111111U);
    Access both{true, 0, {0x2C, 0, 0, 0, 0x34, 0x12, 0, 0}};  // address and data in one
    EXPECT_EQ(transport(rig.io, both), ::tlm::TLM_OK_RESPONSE);
    EXPECT_EQ(rig.read(reg::kFcah), 0x1234U);
  });
}

TEST(Tlm, IoDebugReadsWithoutSideEffects) {
  NicRig rig;
  rig.run([&] {
    rig.write(reg::kIcs, 5);
    rig.io_write(0, reg::kIcr);
    std::uint64_t value = 0;
    ::tlm::tlm_generic_payload p;
    p.set_command(::tlm::TLM_READ_COMMAND);
    p.set_address(0);
    p.set_data_ptr(reinterpret_cast<std::uint8_t*>(&value));
    p.set_data_length(8);
    EXPECT_EQ(rig.io->transport_dbg(p), 8U);
    EXPECT_EQ(value, (std::uint64_t{5} << 32) | reg::kIcr);
    EXPECT_EQ(rig.read(reg::kIcr), 5U);
    p.set_command(::tlm::TLM_WRITE_COMMAND);
    EXPECT_EQ(rig.io->transport_dbg(p), 0U);
  });
}

}  // namespace
}  // namespace e1000tlm::e1000::test
