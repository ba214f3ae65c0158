#include "e1000tlm/e1000/dma/descriptors.h"

namespace e1000tlm::e1000 {

namespace {

constexpr std::uint32_t kTwentyBits = (1u << 20) - 1;

}  // namespace

TxDescriptor decode_tx(const std::uint8_t* bytes) {
  const std::uint64_t high = load_le64(bytes + 8);
  TxDescriptor d;
  d.command = static_cast<std::uint8_t>(high >> 24);
  d.special = static_cast<std::uint16_t>(high >> 48);
  if (!d.has(tx_cmd::kDext)) {
    d.address = load_le64(bytes);
    d.length = static_cast<std::uint16_t>(high);
    d.cso = static_cast<std::uint8_t>(high >> 16);
    d.css = static_cast<std::uint8_t>(high >> 40);
    return d;
  }
  const unsigned type = (high >> 20) & 0xF;
  if (type == 1) {
    d.kind = TxDescriptor::Kind::kData;
    d.address = load_le64(bytes);
    d.length = static_cast<std::uint32_t>(high) & kTwentyBits;
    d.popts = static_cast<std::uint8_t>(high >> 40);
    return d;
  }
  d.kind = type == 0 ? TxDescriptor::Kind::kContext : TxDescriptor::Kind::kReserved;
  d.special = 0;  // the same bytes hold MSS in a context
  return d;
}

TxContext decode_tx_context(const std::uint8_t* bytes) {
  const std::uint32_t command = load_le32(bytes + 8);
  TxContext c;
  c.ipcss = bytes[0];
  c.ipcso = bytes[1];
  c.ipcse = load_le16(bytes + 2);
  c.tucss = bytes[4];
  c.tucso = bytes[5];
  c.tucse = load_le16(bytes + 6);
  c.paylen = command & kTwentyBits;
  c.hdrlen = bytes[13];
  c.mss = load_le16(bytes + 14);
  const auto tucmd = static_cast<std::uint8_t>(command >> 24);
  c.tse = (tucmd & tx_cmd::kTse) != 0;
  c.ipv4 = (tucmd & tx_cmd::kContextIpv4) != 0;
  c.tcp = (tucmd & tx_cmd::kContextTcp) != 0;
  return c;
}

void encode_rx(const RxWriteBack& fields, std::uint8_t* bytes_8_to_15) {
  store_le64(bytes_8_to_15, fields.length | std::uint64_t{fields.checksum} << 16 |
                                std::uint64_t{fields.status} << 32 |
                                std::uint64_t{fields.errors} << 40 |
                                std::uint64_t{fields.special} << 48);
}

}  // namespace e1000tlm::e1000
