/// The loopback test: frames through the PHY and back, with rings of its own.
#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>
#include <utility>

#include "e1000tlm/driver/self_test.h"

namespace e1000tlm::driver {
namespace {

constexpr unsigned kDescriptors = 256, kRound = 64;
constexpr unsigned kRounds = kDescriptors / kRound * 2 + 2;
constexpr std::uint32_t kFrameBytes = 1024, kBufferBytes = 2048;
constexpr std::uint64_t kRingBytes = std::uint64_t{kDescriptors} * reg::desc::kBytes;
constexpr Time kRoundTime = ms(200), kTick = ms(4);  // a kernel at 250 Hz
constexpr unsigned kTicksToScan = 20, kTicksTooLate = 2;
constexpr std::uint32_t kCodeMissing = 13, kCodeLate = 14;

/// The bytes that tell the test frame: offset and value.
struct Mark {
  std::uint32_t offset;
  std::uint8_t value;
};
constexpr std::array<Mark, 3> kMarks{{{3, 0xFF}, {522, 0xBE}, {524, 0xAF}}};

std::array<std::uint8_t, kFrameBytes> make_test_frame() {
  std::array<std::uint8_t, kFrameBytes> frame{};
  frame.fill(0xFF);
  std::fill(frame.begin() + kFrameBytes / 2, frame.end() - 1, std::uint8_t{0xAA});
  for (const Mark& mark : kMarks) frame[mark.offset] = mark.value;
  return frame;
}

E1000Nic& e1000(Nic& nic) {
  if (auto* const found = dynamic_cast<E1000Nic*>(&nic)) return *found;
  throw std::invalid_argument(nic.name() +
                              ": the self-test is one of e1000 cards, and this is none; choose "
                              "another --app for it");
}

}  // namespace

SelfTest::SelfTest(Cpu& cpu, const Nics& nics, std::size_t tested, RamAllocator& ram)
    : cpu_(cpu),
      nics_(nics),
      nic_(e1000(*nics.at(tested))),
      tx_ring_(ram.allocate(kRingBytes, 128)),
      rx_ring_(ram.allocate(kRingBytes, 128)),
      tx_buffers_(ram.allocate(std::uint64_t{kDescriptors} * kFrameBytes, 64)),
      rx_buffers_(ram.allocate(std::uint64_t{kDescriptors} * kBufferBytes, 64)) {}

void SelfTest::fill_rings() {
  using namespace reg::desc;
  // Most transmit buffers are never written: whatever was in memory goes out.
  std::mt19937 whatever(1);
  std::array<std::uint8_t, kFrameBytes> left_over{};
  const std::array<std::uint8_t, kBufferBytes> zeros{};
  for (std::uint32_t i = 0; i < kDescriptors; ++i) {
    for (std::uint8_t& byte : left_over) byte = static_cast<std::uint8_t>(whatever());
    cpu_.store(tx_buffers_ + std::uint64_t{i} * kFrameBytes, left_over.data(), kFrameBytes);
    cpu_.store(rx_buffers_ + std::uint64_t{i} * kBufferBytes, zeros.data(), kBufferBytes);
    std::array<std::uint8_t, kBytes> d{};
    store_le64(d.data(), rx_buffers_ + std::uint64_t{i} * kBufferBytes);
    cpu_.store(rx_ring_ + std::uint64_t{i} * kBytes, d.data(), kBytes);
    store_le64(d.data(), tx_buffers_ + std::uint64_t{i} * kFrameBytes);
    // No status is asked for: the test goes by what comes back.
    store_le32(d.data() + 8, kFrameBytes | ((kTxEop | kTxIfcs | kTxRps) << 24));
    cpu_.store(tx_ring_ + std::uint64_t{i} * kBytes, d.data(), kBytes);
  }
  nic_.write(reg::kTdbal, static_cast<std::uint32_t>(tx_ring_));
  nic_.write(reg::kTdbah, static_cast<std::uint32_t>(tx_ring_ >> 32));
  nic_.write(reg::kTdlen, kRingBytes);
  nic_.write(reg::kTdh, 0);
  nic_.write(reg::kTdt, 0);
  using namespace reg::tctl;
  nic_.write(reg::kTctl, kPsp | kEn | kCollisionThreshold | kFullDuplexDistance);
  nic_.write(reg::kRctl, nic_.read(reg::kRctl) & ~reg::rctl::kEn);
  nic_.write(reg::kRdbal, static_cast<std::uint32_t>(rx_ring_));
  nic_.write(reg::kRdbah, static_cast<std::uint32_t>(rx_ring_ >> 32));
  nic_.write(reg::kRdlen, kRingBytes);
  nic_.write(reg::kRdh, 0);
  nic_.write(reg::kRdt, 0);
  nic_.write(reg::kRctl, reg::rctl::kEn | reg::rctl::kBam);
}

void SelfTest::loop_phy() {
  using namespace reg::phy;
  nic_.phy_write(kPscr, 0x0808);  // no automatic crossover
  nic_.phy_write(kBmcr, kBmcrReset | kBmcrAneg | kBmcrFullDuplex | kBmcr1000);
  nic_.phy_write(kBmcr, kBmcrReset | kBmcrFullDuplex | kBmcr1000);
  nic_.phy_write(kBmcr, kBmcrLoopback | kBmcrFullDuplex | kBmcr1000);
  using namespace reg::ctrl;
  const std::uint32_t ctrl = nic_.read(reg::kCtrl) & ~kSpeedMask;
  nic_.write(reg::kCtrl, ctrl | kForceSpeed | kForceDuplex | kSpeed1000 | kFd | kIlos);
  // Receiver off, so that a cable does not make it negotiate.
  for (const auto& [page, value] : {std::pair<std::uint16_t, std::uint16_t>{0x001F, 0x8FFC},
                                    std::pair<std::uint16_t, std::uint16_t>{0x001A, 0x8FF0}}) {
    nic_.phy_write(kPageSelect, page);
    nic_.phy_write(kPageValue, value);
  }
  cpu_.sleep(us(500));
}

void SelfTest::write_test_frames() {
  static const auto kFrame = make_test_frame();
  for (unsigned i = 0; i < kRound; ++i) {
    cpu_.store(tx_buffers_ + std::uint64_t{i} * kFrameBytes, kFrame.data(), kFrameBytes);
  }
}

bool SelfTest::is_test_frame(unsigned buffer) {
  return std::all_of(kMarks.begin(), kMarks.end(), [&](const Mark& mark) {
    std::uint8_t byte = 0;
    cpu_.load(rx_buffers_ + std::uint64_t{buffer} * kBufferBytes + mark.offset, &byte, 1);
    return byte == mark.value;
  });
}

std::uint32_t SelfTest::run_rounds() {
  nic_.write(reg::kRdt, kDescriptors - 1);  // and never again: most frames find no room
  unsigned next_tx = 0;
  unsigned next_rx = 0;
  for (unsigned round = 0; round < kRounds; ++round) {
    write_test_frames();
    next_tx = (next_tx + kRound) % kDescriptors;
    nic_.write(reg::kTdt, next_tx);
    cpu_.sleep(kRoundTime);
    const Time start = cpu_.time().now();
    unsigned good = 0;
    while (good < kRound && cpu_.time().now() < start + kTicksToScan * kTick) {
      if (is_test_frame(next_rx)) ++good;
      next_rx = (next_rx + 1) % kDescriptors;
    }
    if (good < kRound) return kCodeMissing;
    if (cpu_.time().now() >= start + kTicksTooLate * kTick) return kCodeLate;
  }
  return 0;
}

void SelfTest::unloop_phy() {
  using namespace reg::phy;
  nic_.write(reg::kRctl, nic_.read(reg::kRctl) & ~reg::rctl::kLoopback);
  const std::uint16_t bmcr = nic_.phy_read(kBmcr);
  if ((bmcr & kBmcrLoopback) == 0) return;
  nic_.phy_write(kBmcr, static_cast<std::uint16_t>(bmcr & ~kBmcrLoopback));
  nic_.phy_write(kBmcr, nic_.phy_read(kBmcr) | kBmcrReset);
}

std::uint32_t SelfTest::test_loopback() {
  fill_rings();
  loop_phy();
  const std::uint32_t code = run_rounds();
  unloop_phy();
  return code;
}

}  // namespace e1000tlm::driver
