#include "e1000tlm/e1000/dma/descriptors.h"

#include <array>

#include <gtest/gtest.h>

namespace e1000tlm::e1000 {
namespace {

using Raw = std::array<std::uint8_t, kDescriptorBytes>;
using Kind = TxDescriptor::Kind;

TEST(TxDescriptor, LegacyFieldsStandWhereTable38PutsThem) {
  const Raw raw = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,   // address
                   0xEA, 0x05, 0x32, 0xCB, 0x00, 0x22, 0x64, 0xA0};  // 1514, CSO 50, CSS 34
  const TxDescriptor d = decode_tx(raw.data());
  EXPECT_EQ(d.kind, Kind::kLegacy);
  EXPECT_EQ(d.address, 0x1122334455667788u);
  EXPECT_EQ(d.length, 1514u);
  EXPECT_EQ(d.data_length(), 1514u);
  EXPECT_EQ(d.cso, 50);
  EXPECT_EQ(d.css, 34);
  EXPECT_EQ(d.popts, 0);
  EXPECT_EQ(d.special, 0xA064);
  EXPECT_EQ(d.command, 0xCB);
  EXPECT_TRUE(d.has(tx_cmd::kIde));
  EXPECT_TRUE(d.has(tx_cmd::kVle));
  EXPECT_TRUE(d.has(tx_cmd::kRs));
  EXPECT_TRUE(d.has(tx_cmd::kIfcs));
  EXPECT_FALSE(d.has(tx_cmd::kIc));
  EXPECT_FALSE(d.has(tx_cmd::kRps));
  EXPECT_TRUE(d.ends_packet());
}

TEST(TxDescriptor, LegacyLengthHasSixteenBitsAndIgnoresTheTypeField) {
  Raw raw = {1};
  raw[8] = raw[9] = raw[10] = 0xFF;
  const TxDescriptor d = decode_tx(raw.data());
  EXPECT_EQ(d.kind, Kind::kLegacy);
  EXPECT_EQ(d.length, 0xFFFFu);
  EXPECT_EQ(d.cso, 0xFF);
}

TEST(TxDescriptor, DataLengthHasTwentyBits) {
  Raw raw = {0x00, 0x10};
  raw[8] = raw[9] = 0xFF;
  raw[10] = 0x1F;  // DTYP 1, DTALEN 19:16 all set
  raw[11] = tx_cmd::kDext | tx_cmd::kTse;
  raw[13] = tx_popts::kTxsm;
  raw[14] = 0x34;
  raw[15] = 0x12;
  const TxDescriptor d = decode_tx(raw.data());
  EXPECT_EQ(d.kind, Kind::kData);
  EXPECT_EQ(d.address, 0x1000u);
  EXPECT_EQ(d.length, 0xFFFFFu);
  EXPECT_EQ(d.popts, tx_popts::kTxsm);
  EXPECT_EQ(d.special, 0x1234);
  EXPECT_EQ(d.css, 0);
  EXPECT_EQ(d.cso, 0);
  EXPECT_TRUE(d.has(tx_cmd::kTse));
  EXPECT_FALSE(d.ends_packet());
}

TEST(TxDescriptor, ContextMovesNoDataAndBitZeroIsNotEop) {
  Raw raw{};
  raw.fill(0xFF);
  raw[10] = 0x0F;  // DTYP 0
  const TxDescriptor d = decode_tx(raw.data());
  EXPECT_EQ(d.kind, Kind::kContext);
  EXPECT_EQ(d.length, 0u);
  EXPECT_EQ(d.data_length(), 0u);
  EXPECT_EQ(d.special, 0);
  EXPECT_FALSE(d.ends_packet());
}

TEST(TxDescriptor, EveryOtherTypeIsReservedAndMovesNoData) {
  for (unsigned type = 2; type < 16; ++type) {
    Raw raw{};
    raw.fill(0xFF);
    raw[10] = static_cast<std::uint8_t>(type << 4 | 0xF);
    const TxDescriptor d = decode_tx(raw.data());
    EXPECT_EQ(d.kind, Kind::kReserved) << type;
    EXPECT_EQ(d.data_length(), 0u) << type;
    EXPECT_TRUE(d.ends_packet()) << type;
  }
}

TEST(TxDescriptor, NullAddressMovesNoData) {
  Raw raw = {};
  raw[8] = 64;
  EXPECT_EQ(decode_tx(raw.data()).length, 64u);
  EXPECT_EQ(decode_tx(raw.data()).data_length(), 0u);
  raw[7] = 1;  // only the highest address byte
  EXPECT_EQ(decode_tx(raw.data()).data_length(), 64u);
}

TEST(TxContext, FieldsStandWhereTable313PutsThem) {
  const Raw raw = {14, 24, 33, 0x01, 34, 50, 0x02, 0x03, 0x56, 0x34, 0x02, 0x27, 0, 66, 0xB4, 0x05};
  ASSERT_EQ(decode_tx(raw.data()).kind, Kind::kContext);
  const TxContext c = decode_tx_context(raw.data());
  EXPECT_EQ(c.ipcss, 14);
  EXPECT_EQ(c.ipcso, 24);
  EXPECT_EQ(c.ipcse, 0x0121);
  EXPECT_EQ(c.tucss, 34);
  EXPECT_EQ(c.tucso, 50);
  EXPECT_EQ(c.tucse, 0x0302);
  EXPECT_EQ(c.paylen, 0x23456u);
  EXPECT_EQ(c.hdrlen, 66);
  EXPECT_EQ(c.mss, 1460);
  EXPECT_TRUE(c.tse);
  EXPECT_TRUE(c.ipv4);
  EXPECT_TRUE(c.tcp);
}

TEST(TxContext, CommandBitsAreIndependent) {
  Raw raw = {};
  const auto decode = [&](unsigned bits) {
    raw[11] = static_cast<std::uint8_t>(tx_cmd::kDext | bits);
    return decode_tx_context(raw.data());
  };
  EXPECT_TRUE(decode(1).tcp && !decode(1).ipv4 && !decode(1).tse);
  EXPECT_TRUE(!decode(2).tcp && decode(2).ipv4 && !decode(2).tse);
  EXPECT_TRUE(!decode(4).tcp && !decode(4).ipv4 && decode(4).tse);
}

TEST(RxDescriptor, WriteBackFillsTheSecondQuadword) {
  RxWriteBack fields;
  fields.length = 0x0102;
  fields.checksum = 0x0304;
  fields.status = rx_status::kDd | rx_status::kEop | rx_status::kVp;
  fields.errors = rx_error::kIpe;
  fields.special = 0xA064;
  std::array<std::uint8_t, 10> bytes{};
  bytes.fill(0xEE);
  encode_rx(fields, bytes.data() + 1);
  const std::array<std::uint8_t, 10> expected = {0xEE, 0x02, 0x01, 0x04, 0x03,
                                                 0x0B, 0x40, 0x64, 0xA0, 0xEE};
  EXPECT_EQ(bytes, expected);
}

}  // namespace
}  // namespace e1000tlm::e1000
