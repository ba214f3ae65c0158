/// Validates simulated time: arithmetic, published measurements, sweeps. See doc/timing.md.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include <systemc>

#include <boost/program_options.hpp>

#include "e1000tlm/e1000/timing.h"
#include "e1000tlm/tlm/output_file.h"
#include "testbenches/timing/points.h"
#include "testbenches/timing/report.h"
#include "testbenches/timing/sweeps.h"

namespace e1000tlm::timing {
namespace {

namespace po = boost::program_options;

constexpr int kFine = 0, kMissed = 1, kUsage = 2, kFailed = 3;
constexpr const char* kSources[] = {"documented", "fitted", "assumed"};

std::string value_of(const e1000::TimingRow& row, const e1000::ControllerTiming& timing) {
  if (row.count != nullptr) return std::to_string(timing.*row.count) + " descriptors";
  const auto ns = static_cast<double>((timing.*row.time).count()) / 1000;
  if (ns >= 1e6) return number(ns / 1e6) + " ms";
  if (ns >= 1e4) return number(ns / 1e3, ns / 1e3 == static_cast<int>(ns / 1e3) ? 0 : 1) + " us";
  return number(ns) + " ns";
}

/// The table of constants, from the structure itself.
Rows constants() {
  Rows rows{{"constant"}};
  for (const e1000::TimingSet& set : e1000::timing_sets()) rows[0].emplace_back(set.name);
  rows[0].emplace_back("known from");
  rows[0].emplace_back("source");
  for (const e1000::TimingRow& row : e1000::timing_rows()) {
    rows.push_back({"`" + std::string(row.name) + "`"});
    for (const e1000::TimingSet& set : e1000::timing_sets()) {
      rows.back().push_back(value_of(row, set.timing));
    }
    rows.back().emplace_back(kSources[static_cast<unsigned>(row.source)]);
    rows.back().emplace_back(row.where);
  }
  return rows;
}

void measure(Report& report, Extent extent) {
  report.matrix("bus", "Clocks of bus accesses against PCI arithmetic (exact)", bus_points(extent));

  report.points("wire", "The wire (exact)", wire_points(extent));
  report.points("interrupts", "Interrupt throttling (exact)", interrupt_points(extent));
  report.points("published", "Published measurements (within 10 %)", published_points(extent));
  report.points("hosts_fitted", "Hosts, where they were fitted (within 10 %)", host_points());
  report.unfitted("not_fitted", "Published, not fitted", unfitted_points(extent));
  throughput(report, extent);
  moderation(report, extent);
  ring_sizes(report, extent);
  shared_bus(report, extent);
  disconnects(report, extent);
  four_ports(report, extent);
}

int run(int argc, char** argv) {
  po::options_description all("e1000-timing: validates simulated time");
  all.add_options()("out", po::value<std::string>(), "directory for CSV and JSON")(
      "doc", po::value<std::string>(), "document whose tables are to be renewed")(
      "smoke", po::bool_switch(), "a few points of each kind")(
      "check", po::value<std::string>(),
      "measure nothing; status 1 unless this document has the present table of device constants")(
      "help,h", "this text");
  po::variables_map given;
  try {
    po::store(po::parse_command_line(argc, argv, all), given);
  } catch (const po::error& error) {
    std::cerr << "e1000-timing: " << error.what() << "\n";
    return kUsage;
  }
  if (given.count("help") != 0) {
    std::cout << all;
    return kFine;
  }
  Report report;
  report.block("constants", constants());
  report.block("hosts", host_table());
  if (given.count("check") != 0) {
    const auto document = given["check"].as<std::string>();
    if (report.up_to_date(document, "constants")) return kFine;
    std::cerr
        << document
        << ": its table of constants is not the code's; ./run timing --update-doc renews it\n";
    return kMissed;
  }
  const auto start = std::chrono::steady_clock::now();
  measure(report, given["smoke"].as<bool>() ? Extent::kSmoke : Extent::kAll);
  if (given.count("out") != 0) {
    const auto directory = given["out"].as<std::string>();
    std::filesystem::create_directories(directory);
    report.write_data(directory);
  }
  if (given.count("doc") != 0) report.update_document(given["doc"].as<std::string>());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("\n%zu points, %u missed (%u of the exact ones), in %.0f s\n", report.count(),
              report.missed(), report.exact_missed(), took.count());
  flush_standard_output();
  return report.exact_missed() == 0 ? kFine : kMissed;
}

}  // namespace
}  // namespace e1000tlm::timing

int sc_main(int argc, char** argv) {
  try {
    return e1000tlm::timing::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "e1000-timing: " << error.what() << "\n";
    return e1000tlm::timing::kFailed;
  }
}

int main(int argc, char** argv) {
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
