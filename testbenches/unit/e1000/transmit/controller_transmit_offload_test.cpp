/// Checksum offload and segmentation through the engine (rules TX-18 to TX-31).

#include <numeric>

#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {
namespace {

using Octets = std::vector<std::uint8_t>;
constexpr std::uint8_t kWhole = tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs;

/// Folded ones-complement sum of big-endian words; FFFFh over data with its checksum in place.
std::uint16_t sum(const Octets& bytes, std::size_t from, std::size_t to, std::uint32_t seed = 0) {
  for (std::size_t i = from; i < to; ++i) {
    seed += (i - from) % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
  }
  while (seed > 0xFFFF) seed = (seed & 0xFFFF) + (seed >> 16);
  return static_cast<std::uint16_t>(seed);
}

/// Ethernet, IPv4 (10.0.0.1 to 10.0.0.2) and TCP headers, 54 bytes, then `payload` bytes.
Octets tcp4(std::size_t payload, std::uint16_t ip_length) {
  Octets f = NicRig::frame(54 + payload, 0, {0x02, 0, 0, 0, 0, 2}, 0x0800);
  const Octets ip{0x45, 0, 0, 0, 0x12, 0xFF, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
  std::copy(ip.begin(), ip.end(), f.begin() + 14);
  store_be16(&f[16], ip_length);
  const Octets tcp{0x30, 0x39, 0,    80,   0xFF, 0xFF, 0xFF, 0x00, 0, 0,
                   0,    1,    0x50, 0x99, 1,    0,    0,    0,    0, 0};
  std::copy(tcp.begin(), tcp.end(), f.begin() + 34);
  return f;
}
/// Addresses and protocol; the length is added by whoever knows it.
constexpr std::uint32_t kPseudo4 = 0x0A00 + 0x0001 + 0x0A00 + 0x0002 + 6;

TxContext tcp4_context() {
  TxContext c;
  c.ipcss = 14;
  c.ipcso = 24;
  c.ipcse = 33;
  c.tucss = 34;
  c.tucso = 50;
  c.ipv4 = c.tcp = true;
  return c;
}

void run_transmitter(NicRig& rig, const std::function<void()>& script) {
  rig.run([&] {
    rig.bring_up();
    rig.setup_tx(16);
    script();
    NicRig::wait_for(us(200));
  });
}

TEST(TransmitOffload, Tx18LegacyChecksumFromCssToTheEnd) {
  NicRig rig;
  Octets f = NicRig::frame(64);
  f[40] = f[41] = 0;
  run_transmitter(rig, [&] {
    rig.put_legacy(0, f, kWhole | tx_cmd::kIc);
    rig.tx_descriptor(0)[10] = 40;  // CSO
    rig.tx_descriptor(0)[13] = 14;  // CSS
    rig.write(reg::kTdt, 1);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  const Octets out = rig.far.bytes(0);
  EXPECT_EQ(sum(out, 14, 64), 0xFFFF);
  EXPECT_NE(load_be16(&out[40]), 0);
}

TEST(TransmitOffload, Tx19ContextInsertsIpAndTcpChecksums) {
  NicRig rig;
  Octets f = tcp4(20, 60);
  store_be16(&f[50], sum({}, 0, 0, kPseudo4 + 40));  // seed with the length: TX-19
  run_transmitter(rig, [&] {
    rig.put_context(0, tcp4_context());
    rig.put_data(1, rig.put_buffer(1, f), 74, kWhole, tx_popts::kIxsm | tx_popts::kTxsm);
    rig.write(reg::kTdt, 2);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  const Octets out = rig.far.bytes(0);
  EXPECT_EQ(sum(out, 14, 34), 0xFFFF);
  EXPECT_EQ(sum(out, 34, 74, kPseudo4 + 40), 0xFFFF);
}

TEST(TransmitOffload, Tx20ContextsPersistAndThereAreTwo) {
  NicRig rig;
  Octets f = tcp4(20, 60);
  store_be16(&f[50], sum({}, 0, 0, kPseudo4 + 40));
  run_transmitter(rig, [&] {
    rig.put_context(0, tcp4_context());
    TxContext tso = tcp4_context();
    tso.tse = true;
    tso.tucso = 60;  // must not disturb the other one
    tso.mss = 100;
    tso.hdrlen = 54;
    rig.put_context(1, tso);
    for (std::uint32_t i = 2; i < 4; ++i) {
      rig.put_data(i, rig.put_buffer(i, f), 74, kWhole, tx_popts::kTxsm);
    }
    rig.write(reg::kTdt, 4);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(sum(rig.far.bytes(i), 34, 74, kPseudo4 + 40), 0xFFFF) << i;
  }
}

TEST(TransmitOffload, ResetForgetsTheContexts) {
  NicRig rig;
  const Octets f = tcp4(20, 60);
  run_transmitter(rig, [&] {
    rig.put_context(0, tcp4_context());
    rig.write(reg::kTdt, 1);
    NicRig::wait_for(us(5));
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRst);
    NicRig::wait_for(us(2));
    rig.bring_up();
    rig.setup_tx(16);
    rig.put_data(0, rig.put_buffer(0, f), 74, kWhole, tx_popts::kTxsm);
    rig.write(reg::kTdt, 1);
  });
  ASSERT_EQ(rig.far.received.size(), 1U);
  EXPECT_EQ(load_be16(&rig.far.bytes(0)[50]), load_be16(&f[50]));
}

struct Segment {
  std::size_t size;
  std::uint16_t id;
  std::uint32_t sequence;
  std::uint8_t flags;
};

void expect_segment(const Octets& out, const Segment& expected, const Octets& source,
                    std::size_t payload_from) {
  ASSERT_EQ(out.size(), expected.size);
  EXPECT_EQ(load_be16(&out[16]), expected.size - 14);
  EXPECT_EQ(load_be16(&out[18]), expected.id);
  EXPECT_EQ(load_be32(&out[38]), expected.sequence);
  EXPECT_EQ(out[47], expected.flags);
  EXPECT_EQ(sum(out, 14, 34), 0xFFFF);
  EXPECT_EQ(sum(out, 34, out.size(), kPseudo4 + static_cast<std::uint32_t>(out.size() - 34)),
            0xFFFF);
  EXPECT_TRUE(std::equal(out.begin() + 54, out.end(),
                         source.begin() + 54 + static_cast<std::ptrdiff_t>(payload_from)));
}

TEST(TransmitOffload, Tx24To30SegmentsTcpOverIpv4) {
  NicRig rig;
  Octets f = tcp4(250, 0);
  store_be16(&f[50], sum({}, 0, 0, kPseudo4));  // seed without the length: TX-29
  run_transmitter(rig, [&] {
    TxContext c = tcp4_context();
    c.tse = true;
    c.paylen = 250;
    c.hdrlen = 54;
    c.mss = 100;
    rig.put_context(0, c);
    const std::uint64_t at = rig.put_buffer(1, f);
    const std::uint8_t popts = tx_popts::kIxsm | tx_popts::kTxsm;
    rig.put_data(1, at, 54, tx_cmd::kTse | tx_cmd::kIfcs, popts);
    rig.put_data(2, at + 54, 130, tx_cmd::kTse | tx_cmd::kIfcs);
    rig.put_data(3, at + 184, 120, tx_cmd::kTse | kWhole);
    rig.write(reg::kTdt, 4);
    NicRig::wait_for(us(50));
    EXPECT_TRUE(rig.tx_done(3));
    EXPECT_EQ(rig.counter(Counter::kTsctc), 1U);
    EXPECT_EQ(rig.counter(Counter::kTsctfc), 0U);
    EXPECT_EQ(rig.counter(Counter::kGptc), 3U);  // ST-6
    EXPECT_EQ(rig.read(0x4090), 158U + 158U + 108U);
  });
  ASSERT_EQ(rig.far.received.size(), 3U);
  // FIN and PSH (09h of 99h) in the last only; the sequence carries over 16 bits, the id wraps.
  expect_segment(rig.far.bytes(0), {154, 0x12FF, 0xFFFFFF00, 0x90}, f, 0);
  expect_segment(rig.far.bytes(1), {154, 0x1300, 0xFFFFFF64, 0x90}, f, 100);
  expect_segment(rig.far.bytes(2), {104, 0x1301, 0xFFFFFFC8, 0x99}, f, 200);
}

TEST(TransmitOffload, Tx27SegmentsTcpOverIpv6) {
  NicRig rig;
  Octets f = NicRig::frame(74 + 150, 0, {0x02, 0, 0, 0, 0, 2}, 0x86DD);
  f[14] = 0x60;
  f[15] = f[16] = f[17] = 0;
  f[20] = 6;
  f[21] = 64;
  const Octets tcp{0x30, 0x39, 0, 80, 0, 0, 0, 9, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0};
  std::copy(tcp.begin(), tcp.end(), f.begin() + 54);
  const std::uint32_t pseudo = sum(f, 22, 54, 6);
  store_be16(&f[70], static_cast<std::uint16_t>(pseudo));
  run_transmitter(rig, [&] {
    TxContext c;
    c.ipcss = 14;
    c.tucss = 54;
    c.tucso = 70;
    c.tcp = c.tse = true;
    c.paylen = 150;
    c.hdrlen = 74;
    c.mss = 100;
    rig.put_context(0, c);
    rig.put_data(1, rig.put_buffer(1, f), 224, tx_cmd::kTse | kWhole, tx_popts::kTxsm);
    rig.write(reg::kTdt, 2);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  const Octets first = rig.far.bytes(0), second = rig.far.bytes(1);
  ASSERT_EQ(first.size(), 174U);
  ASSERT_EQ(second.size(), 124U);
  EXPECT_EQ(load_be16(&first[18]), 120);  // without the fixed header of 40
  EXPECT_EQ(load_be16(&second[18]), 70);
  EXPECT_EQ(load_be32(&first[58]), 9U);
  EXPECT_EQ(load_be32(&second[58]), 109U);
  EXPECT_EQ(sum(first, 54, 174, pseudo + 120), 0xFFFF);
  EXPECT_EQ(sum(second, 54, 124, pseudo + 70), 0xFFFF);
}

TEST(TransmitOffload, Tx30ShortPayloadCountsAsFailed) {
  NicRig rig;
  const Octets f = tcp4(150, 0);
  run_transmitter(rig, [&] {
    TxContext c = tcp4_context();
    c.tse = true;
    c.paylen = 300;
    c.hdrlen = 54;
    c.mss = 100;
    rig.put_context(0, c);
    rig.put_data(1, rig.put_buffer(1, f), 204, tx_cmd::kTse | kWhole);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(50));
    EXPECT_EQ(rig.counter(Counter::kTsctc), 0U);
    EXPECT_EQ(rig.counter(Counter::kTsctfc), 1U);
  });
  EXPECT_EQ(rig.far.received.size(), 2U);
}

TEST(TransmitOffload, Tx16EverySegmentIsTagged) {
  NicRig rig;
  const Octets f = tcp4(200, 0);
  run_transmitter(rig, [&] {
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kVme);
    TxContext c = tcp4_context();
    c.tse = true;
    c.paylen = 200;
    c.hdrlen = 54;
    c.mss = 100;
    rig.put_context(0, c);
    // TX-13: VLE and special of the first data descriptor count.
    rig.put_data(1, rig.put_buffer(1, f), 54, tx_cmd::kTse | tx_cmd::kVle, 0, 0x2007);
    rig.put_data(2, kTxBuffers + 16384 + 54, 200, tx_cmd::kTse | kWhole, 0, 0x0BAD);
    rig.write(reg::kTdt, 3);
  });
  ASSERT_EQ(rig.far.received.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Octets out = rig.far.bytes(i);
    ASSERT_EQ(out.size(), 158U);
    EXPECT_EQ(load_be32(&out[12]), 0x81002007U);
    EXPECT_EQ(load_be16(&out[16]), 0x0800);
  }
}

TEST(TransmitOffload, LongSegmentedSendNeedsNoMoreBufferThanASegment) {
  NicRig rig;
  Octets f = tcp4(15000, 0);
  run_transmitter(rig, [&] {
    rig.write(reg::kPba, 63);  // 1 KiB for transmit after the next reset (RST-6)
    rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRst);
    NicRig::wait_for(us(2));
    rig.bring_up();
    rig.setup_tx(16);
    TxContext c = tcp4_context();
    c.tse = true;
    c.paylen = 15000;
    c.hdrlen = 54;
    c.mss = 500;
    rig.put_context(0, c);
    rig.put_data(1, rig.put_buffer(1, f), 15054, tx_cmd::kTse | kWhole);
    rig.write(reg::kTdt, 2);
    NicRig::wait_for(us(400));
    EXPECT_TRUE(rig.tx_done(1));
    EXPECT_EQ(rig.counter(Counter::kTsctc), 1U);
  });
  EXPECT_EQ(rig.far.received.size(), 30U);
}

}  // namespace
}  // namespace e1000tlm::e1000::test
