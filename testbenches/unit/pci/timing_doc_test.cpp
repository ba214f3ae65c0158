/// doc/pci_timing.md says what the model does: every row of its table of examples is computed.

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/pci/arbiter.h"
#include "e1000tlm/pci/host_timing.h"

namespace e1000tlm::pci {
namespace {

/// The words between the bars of a table's row.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> result;
  std::istringstream in(line);
  std::string cell;
  std::getline(in, cell, '|');
  while (std::getline(in, cell, '|')) {
    std::istringstream words(cell);
    words >> result.emplace_back();
  }
  return result;
}

std::int64_t clocks(const std::vector<std::string>& row) {
  AccessTiming::Setup setup;
  setup.bus = find_bus_speed(row[0]).value();
  const HostTiming host = find_host_timing(row[1], setup.bus).value();
  setup.arbiter = host.arbiter;
  setup.target = host.target;
  setup.master.cache_line_bytes = 64;
  setup.requester = 1;
  setup.write = row[2] == "write";
  const auto bytes = static_cast<std::uint32_t>(std::stoul(row[4]));
  const Time end =
      Arbiter().alone(AccessTiming(setup), {std::stoull(row[3], nullptr, 16), bytes, 0}, kTimeZero);
  EXPECT_EQ(end % setup.bus.clock, kTimeZero);
  return end / setup.bus.clock;
}

TEST(TimingDoc, ItsExamplesAreWhatTheModelComputes) {
  const char* path = std::getenv("E1000TLM_PCI_TIMING_DOC");
  ASSERT_NE(path, nullptr) << "the test's environment names the file";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  unsigned rows = 0;
  std::string line;
  while (std::getline(file, line)) {
    const std::vector<std::string> row = cells(line);
    if (row.size() != 6 || !find_bus_speed(row[0])) continue;
    ++rows;
    EXPECT_EQ(clocks(row), std::stol(row[5])) << line;
  }
  EXPECT_GE(rows, 60u);
}

}  // namespace
}  // namespace e1000tlm::pci
