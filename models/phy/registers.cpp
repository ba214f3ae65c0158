#include "e1000tlm/phy/registers.h"

#include <stdexcept>
#include <string>

namespace e1000tlm::phy {
namespace {

constexpr std::array<RegisterRow, kRegisterCount> rows_by_number() {
  std::array<RegisterRow, kRegisterCount> rows{};
  for (const RegisterRow& row : kRegisters) rows[row.number] = row;
  return rows;
}

constexpr bool table_is_consistent() {
  for (const RegisterRow& row : kRegisters) {
    const unsigned known = row.reset | row.write | row.latched_low | row.read_clear | row.staged;
    if ((known & ~unsigned{row.read}) != 0) return false;
    if ((row.staged & ~unsigned{row.write}) != 0) return false;
    if ((row.self_clearing & (row.read | row.write)) != 0) return false;
  }
  return true;
}
static_assert(table_is_consistent());

constexpr auto kRowsByNumber = rows_by_number();

constexpr Time kLongest = ms(1'000'000);

void check_delay(const char* name, Time value) {
  if (value < kTimeZero || value > kLongest) {
    throw std::invalid_argument(std::string("PHY timing '") + name + "' is " +
                                std::to_string(value.count()) + " ps, outside 0 to 1000 s");
  }
}

}  // namespace

const RegisterRow& register_row(unsigned number) { return kRowsByNumber.at(number); }

void validate(const PhyConfig& config) {
  if (config.address >= 32) {
    throw std::invalid_argument("PHY address " + std::to_string(config.address) +
                                " is outside 0 to 31");
  }
  check_delay("autonegotiation", config.timing.autonegotiation);
  check_delay("forced_link", config.timing.forced_link);
  check_delay("link_loss_detect", config.timing.link_loss_detect);
  check_delay("tx_latency", config.timing.tx_latency);
  check_delay("rx_latency", config.timing.rx_latency);
  check_delay("loopback_latency", config.timing.loopback_latency);
}

}  // namespace e1000tlm::phy
