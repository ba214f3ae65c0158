#include "e1000tlm/driver/self_test.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "e1000tlm/driver/discard.h"

namespace e1000tlm::driver {
namespace {

constexpr Time kLinkPatience = ms(4'000);  // after looking at the link, and after opening
constexpr Time kInterruptPatience = ms(10);
constexpr unsigned kCauses = 10;                     // TXDW to MDAC
constexpr std::uint32_t kAllCauses = 0x7FFF;         // that the test sets
constexpr std::uint32_t kStatusStays = 0xFFFF'F833;  // STATUS bits that writing must not change
constexpr std::uint32_t kAll = 0xFFFF'FFFF;

/// One line of the register test: all of `mask` must hold what is written to it.
struct RegisterCheck {
  std::uint32_t offset = 0;
  std::uint32_t mask = 0;   ///< bits that are stored
  std::uint32_t write = 0;  ///< bits that are written; once: the value
  bool once = false;        ///< write once and compare under the mask; else patterns, all compared
  unsigned count = 1;       ///< so many equal registers
  unsigned stride = 0;      ///< bytes between them
};

// The order matters: heads and tails end outside their rings before RCTL.EN is set.
constexpr std::array kRegisterChecks{
    RegisterCheck{reg::kFcal, kAll, kAll},
    RegisterCheck{reg::kFcah, 0xFFFF, kAll},
    RegisterCheck{reg::kFct, 0xFFFF, kAll},
    RegisterCheck{reg::kVet, 0xFFFF, kAll},
    RegisterCheck{reg::kRdtr, 0xFFFF, kAll},
    RegisterCheck{reg::kRdbah, kAll, kAll},
    RegisterCheck{reg::kRdlen, 0xF'FF80, 0xF'FFFF},
    RegisterCheck{reg::kRdh, 0xFFFF, 0xFFFF},
    RegisterCheck{reg::kRdt, 0xFFFF, 0xFFFF},
    RegisterCheck{reg::kFcrth, 0xFFF8, 0xFFF8},
    RegisterCheck{reg::kFcttv, 0xFFFF, 0xFFFF},
    RegisterCheck{reg::kTipg, 0x3FFF'FFFF, 0x3FFF'FFFF},
    RegisterCheck{reg::kTdbah, kAll, kAll},
    RegisterCheck{reg::kTdlen, 0xF'FF80, 0xF'FFFF},
    RegisterCheck{reg::kRctl, kAll, 0, true},
    RegisterCheck{reg::kRctl, 0x06DF'B3FE, 0x003F'FFFB, true},
    RegisterCheck{reg::kTctl, kAll, 0, true},
    RegisterCheck{reg::kRctl, 0x06DF'B3FE, kAll, true},
    RegisterCheck{reg::kRdbal, 0xFFFF'FFF0, kAll},
    RegisterCheck{reg::kTxcw, 0xC000'FFFF, 0xFFFF},
    RegisterCheck{reg::kTdbal, 0xFFFF'FFF0, kAll},
    RegisterCheck{reg::kTidv, 0xFFFF, 0xFFFF},
    RegisterCheck{reg::kRah, 0x8003'FFFF, kAll, false, 15, 8},
    RegisterCheck{reg::kMta, kAll, kAll, false, 128, 4},
};

bool holds(E1000Nic& nic, const RegisterCheck& check, std::uint32_t offset) {
  if (check.once) {
    nic.write(offset, check.write & check.mask);
    return (nic.read(offset) & check.mask) == (check.write & check.mask);
  }
  constexpr std::array<std::uint32_t, 4> kPatterns{0x5A5A'5A5A, 0xA5A5'A5A5, 0, kAll};
  return std::all_of(kPatterns.begin(), kPatterns.end(), [&](std::uint32_t pattern) {
    nic.write(offset, pattern & check.write);
    return nic.read(offset) == (pattern & check.write & check.mask);
  });
}

class SelfTestApp : public App {
 public:
  SelfTestApp(Cpu& cpu, const Nics& nics, RamAllocator& ram) : nics_(nics) {
    tests_.reserve(nics.size());
    for (std::size_t i = 0; i < nics.size(); ++i) tests_.emplace_back(cpu, nics, i, ram);
  }

  bool service() override {
    if (results_.size() < tests_.size()) {
      results_.push_back(tests_[results_.size()].run());
      return true;
    }
    return discard_.service(nics_);
  }
  bool done() const override { return results_.size() == tests_.size(); }
  std::vector<SelfTestResult> self_tests() const override { return results_; }

 private:
  const Nics& nics_;
  Discard discard_;
  std::vector<SelfTest> tests_;
  std::vector<SelfTestResult> results_;
};

}  // namespace

SelfTestResult SelfTest::run() {
  SelfTestResult result;
  // First of all, while the link still stands.
  result.link = test_link();
  nic_.close();
  reset();
  result.registers = test_registers();
  reset();
  result.eeprom = test_eeprom();
  reset();
  result.interrupt = test_interrupt();
  reset();
  result.loopback = test_loopback();
  reopen();
  return result;
}

std::uint32_t SelfTest::test_link() {
  listen(kLinkPatience);
  return (nic_.read(reg::kStatus) & reg::status::kLinkUp) != 0 ? 0 : 1;
}

std::uint32_t SelfTest::test_registers() {
  const std::uint32_t before = nic_.read(reg::kStatus);
  nic_.write(reg::kStatus, kStatusStays);
  const std::uint32_t after = nic_.read(reg::kStatus);
  if (((before ^ after) & kStatusStays) != 0) return 1;
  nic_.write(reg::kStatus, before);
  for (const RegisterCheck& check : kRegisterChecks) {
    for (unsigned i = 0; i < check.count; ++i) {
      const std::uint32_t offset = check.offset + i * check.stride;
      if (!holds(nic_, check, offset)) return offset;
    }
  }
  return 0;
}

std::uint32_t SelfTest::test_eeprom() {
  try {
    return nic_.eeprom_sum_by_bits() ? 0 : 2;
  } catch (const std::runtime_error&) {
    return 1;
  }
}

std::uint32_t SelfTest::test_interrupt() {
  nic_.write(reg::kImc, kAll);
  cpu_.sleep(kInterruptPatience);
  const bool exclusive = line_is_its_own();
  const auto gather = [this](std::uint32_t mask_register, std::uint32_t causes) {
    causes_ = 0;
    nic_.write(mask_register, causes);
    nic_.write(reg::kIcs, causes);
    listen(kInterruptPatience);
    return causes_;
  };
  for (unsigned bit = 0; bit < kCauses; ++bit) {
    const std::uint32_t cause = 1U << bit;
    if (exclusive && (gather(reg::kImc, cause) & cause) != 0) return 3;
    if ((gather(reg::kIms, cause) & cause) == 0) return 4;
    if (exclusive && gather(reg::kImc, ~cause & kAllCauses) != 0) return 5;
  }
  nic_.write(reg::kImc, kAll);
  cpu_.sleep(kInterruptPatience);
  return 0;
}

void SelfTest::reset() {
  nic_.reset();
  nic_.read_eeprom();
  nic_.setup_phy();
}

void SelfTest::reopen() {
  reset();
  nic_.setup_rings();
  nic_.enable_interrupts();
  const Time end = cpu_.time().now() + kLinkPatience;
  while (!nic_.link().up && cpu_.time().now() < end) {
    cpu_.wait_for_interrupt(end);
    serve_interrupts(cpu_, nics_);
    if (nic_.masked()) nic_.unmask();
  }
  nic_.start_receiver();
}

bool SelfTest::line_is_its_own() const {
  return std::count_if(nics_.begin(), nics_.end(),
                       [this](const auto& nic) { return nic->pci().pirq == nic_.pci().pirq; }) == 1;
}

void SelfTest::listen(Time span) {
  const Time end = cpu_.time().now() + span;
  while (cpu_.time().now() < end) {
    cpu_.wait_for_interrupt(end);
    take_interrupts();
  }
  // Loosely timed the program may have run ahead of the device until here.
  cpu_.sleep(kTimeZero);
  take_interrupts();
}

void SelfTest::take_interrupts() {
  for (unsigned line = 0; line < Cpu::kLines; ++line) {
    if (!cpu_.line(line)) continue;
    for (const auto& nic : nics_) {
      if (nic->pci().pirq != line) continue;
      if (nic.get() == &nic_) {
        causes_ |= nic_.read(reg::kIcr);
      } else {
        nic->interrupt();
      }
    }
    cpu_.acknowledge(line);
  }
}

std::unique_ptr<App> make_self_test(Cpu& cpu, const Nics& nics, RamAllocator& ram) {
  return std::make_unique<SelfTestApp>(cpu, nics, ram);
}

}  // namespace e1000tlm::driver
