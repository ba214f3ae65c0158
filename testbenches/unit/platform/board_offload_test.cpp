/// The driver's offloads, through the whole adapter and back over a loopback link.
#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/board/board.h"
#include "e1000tlm/driver/virtio_nic.h"

namespace e1000tlm::platform {
namespace {

using FrameBytes = std::vector<std::uint8_t>;

std::uint16_t sum(const std::uint8_t* data, std::size_t bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes; ++i) sum += i % 2 == 0 ? data[i] * 256U : data[i];
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// Ethernet, IPv4 and TCP or UDP headers, with the checksum seeds that the manual asks for.
FrameBytes packet(bool tcp, std::size_t payload, bool segmented) {
  const std::size_t l4 = tcp ? 20 : 8;
  FrameBytes f(34 + l4 + payload);
  const std::array<std::uint8_t, 34> header{
      0x52, 0x54, 0,    0x12, 0x34, 0x56, 2,    0,
      0,    0,    0,    1,    8,    0,    0x45, 0,
      0,    0,    0x12, 0x34, 0x40, 0,    64,   static_cast<std::uint8_t>(tcp ? 6 : 17),
      0,    0,    10,   0,    0,    1,    10,   0,
      0,    2};
  std::copy(header.begin(), header.end(), f.begin());
  if (!segmented) store_be16(&f[16], static_cast<std::uint16_t>(f.size() - 14));
  store_be16(&f[34], 1000);
  store_be16(&f[36], 2000);
  const std::size_t l4_bytes = l4 + payload;
  if (tcp) {
    store_be32(&f[38], 0x1000'0000);
    f[46] = 0x50;
    f[47] = 0x19;  // ACK, PSH, FIN
  } else {
    store_be16(&f[38], static_cast<std::uint16_t>(l4_bytes));
  }
  for (std::size_t i = 34 + l4; i < f.size(); ++i) f[i] = static_cast<std::uint8_t>(i * 7);
  const std::uint32_t pseudo = sum(&f[26], 8) + (tcp ? 6U : 17U);
  const auto length = static_cast<std::uint32_t>(segmented ? 0 : l4_bytes);
  store_be16(&f[34 + (tcp ? 16 : 6)], sum(nullptr, 0, pseudo + length));
  return f;
}

void expect_checksums(const FrameBytes& f) {
  EXPECT_EQ(sum(&f[14], 20), 0xFFFF) << "IP";
  const std::size_t l4 = f.size() - 34;
  const std::uint32_t pseudo = sum(&f[26], 8) + f[23] + static_cast<std::uint32_t>(l4);
  EXPECT_EQ(sum(&f[34], l4, pseudo), 0xFFFF) << "TCP/UDP";
}

/// Sends one packet with an offload and collects what comes back.
class Sender : public driver::Program, private driver::FrameTaker {
 public:
  Sender(driver::Cpu& cpu, FrameBytes packet, const driver::TxOffload& offload)
      : cpu_(cpu), packet_(std::move(packet)), offload_(offload) {}

  void run() override {
    driver::PciHost pci(cpu_);
    driver::PciDevice device = pci.scan().at(0);
    pci.enable(device);
    driver::RamAllocator ram(1 << 20, 64 << 20);
    const std::unique_ptr<driver::Nic> owner = make_nic(pci, device, ram);
    driver::Nic& nic = *owner;
    nic.bring_up();
    driver::BufferPool pool(ram, 1, 32 * 1024, nic.headroom());
    nic.enable_interrupts();
    while (!nic.link().up) {
      cpu_.wait_for_interrupt(kTimeNever);
      nic.interrupt();
      nic.unmask();
    }
    nic.start_receiver();
    const std::uint64_t buffer = pool.take();
    cpu_.store(buffer, packet_.data(), static_cast<std::uint32_t>(packet_.size()));
    ASSERT_TRUE(nic.send(buffer, static_cast<std::uint32_t>(packet_.size()), pool, offload_));
    nic.flush();
    for (int i = 0; i < 100; ++i) {
      cpu_.sleep(us(10));
      nic.receive(*this, 64);
      nic.reclaim();
    }
    EXPECT_TRUE(pool.complete()) << "the buffer has been given back";
    if (auto* const e1000 = dynamic_cast<driver::E1000Nic*>(&nic)) {
      EXPECT_TRUE(e1000->eeprom_checksum_ok());
    }
    sc_core::sc_stop();
  }

  std::vector<FrameBytes> received;

 private:
  bool take(std::uint64_t address, std::uint32_t bytes, driver::BufferPool& home) override {
    FrameBytes frame(bytes);
    cpu_.load(address, frame.data(), bytes);
    received.push_back(std::move(frame));
    home.give(address);
    return true;
  }

  std::unique_ptr<driver::Nic> make_nic(driver::PciHost& pci, const driver::PciDevice& device,
                                        driver::RamAllocator& ram) {
    if (device.vendor_id == 0x8086) {
      return std::make_unique<driver::E1000Nic>(cpu_, device, ram, driver::NicSettings{});
    }
    return std::make_unique<driver::VirtioNic>(cpu_, pci, device, ram, driver::NicSettings{},
                                               ns(50));
  }

  driver::Cpu& cpu_;
  FrameBytes packet_;
  driver::TxOffload offload_;
};

std::vector<FrameBytes> send(NicModel model, const FrameBytes& packet,
                             const driver::TxOffload& offload) {
  BoardConfig config;
  config.nics.at(0).model = model;
  config.links = {"loopback"};
  Board board("board", config);
  Sender sender(*board.cpu(), packet, offload);
  board.cpu()->load(sender);
  board.run();
  return sender.received;
}

class Offload : public ::testing::TestWithParam<NicModel> {};

TEST_P(Offload, UdpChecksumIsFilledIn) {
  const auto frames = send(GetParam(), packet(false, 301, false), {});
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].size(), 34U + 8 + 301);
  expect_checksums(frames[0]);
}

TEST_P(Offload, TcpChecksumIsFilledIn) {
  driver::TxOffload offload;
  offload.tcp = true;
  const auto frames = send(GetParam(), packet(true, 500, false), offload);
  ASSERT_EQ(frames.size(), 1U);
  expect_checksums(frames[0]);
}

TEST_P(Offload, TcpIsSegmented) {
  driver::TxOffload offload;
  offload.tcp = true;
  offload.mss = 1000;
  offload.header_bytes = 54;
  const FrameBytes whole = packet(true, 3500, true);
  const auto frames = send(GetParam(), whole, offload);
  ASSERT_EQ(frames.size(), 4U);
  FrameBytes payload;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const FrameBytes& f = frames[i];
    const bool last = i == 3;
    ASSERT_EQ(f.size(), 54U + (last ? 500U : 1000U));
    expect_checksums(f);
    EXPECT_EQ(load_be16(&f[16]), f.size() - 14);
    EXPECT_EQ(load_be16(&f[18]), 0x1234 + i) << "identification counts up";
    EXPECT_EQ(load_be32(&f[38]), 0x1000'0000 + 1000 * i);
    EXPECT_EQ(f[47], last ? 0x19 : 0x10) << "FIN and PSH in the last only";
    payload.insert(payload.end(), f.begin() + 54, f.end());
  }
  EXPECT_EQ(payload, FrameBytes(whole.begin() + 54, whole.end()));
}

INSTANTIATE_TEST_SUITE_P(EveryModel, Offload,
                         ::testing::Values(NicModel::kE1000, NicModel::kVirtioNet),
                         [](const auto& info) {
                           return info.param == NicModel::kE1000 ? "e1000" : "virtio_net";
                         });

}  // namespace
}  // namespace e1000tlm::platform
