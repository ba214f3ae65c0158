/// Runs side by side.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "e1000tlm/trace/page.h"
#include "e1000tlm/trace/svg.h"

namespace e1000tlm::trace {
namespace {

using Json = nlohmann::json;

struct Run {
  std::string name;
  Json summary;
};

/// What is compared: nothing where a run does not have it.
struct Figure {
  const char* id;
  const char* title;
  const char* unit;
  std::function<double(const Json&)> value;
};

double sum(const Json& array, const std::function<double(const Json&)>& value) {
  double total = 0;
  for (const Json& item : array) total += value(item);
  return total;
}

/// Of what a run has not measured.
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::string shown(double value, const char* unit) {
  return std::isnan(value) ? "-" : short_number(value) + unit;
}

double rate(const Json& run, const char* flow, const char* what) {
  const double active = run.at("active_s").get<double>();
  if (active <= 0) return 0;
  return sum(run.at("nics"), [&](const Json& nic) { return nic.at(flow).at(what).get<double>(); }) /
         active;
}

double worst_transit(const Json& run, const char* percentile) {
  double worst = kNone * 1e9;
  for (const Json& nic : run.at("nics")) {
    if (nic.at("transit").is_null()) continue;
    worst = std::fmax(worst, nic.at("transit").at(percentile).get<double>());
  }
  return worst * 1e-9;
}

double losses(const Json& run) {
  return sum(run.at("nics"), [](const Json& nic) {
    double lost = 0;
    for (const auto& [reason, count] : nic.at("lost").items()) lost += count.get<double>();
    return lost;
  });
}

const std::vector<Figure>& figures() {
  static const std::vector<Figure> kFigures{
      {"in", "Received, data", "bit/s",
       [](const Json& run) { return 8 * rate(run, "wire_in", "bytes"); }},
      {"out", "Sent, data", "bit/s",
       [](const Json& run) { return 8 * rate(run, "wire_out", "bytes"); }},
      {"frames-in", "Received", "frames/s",
       [](const Json& run) { return rate(run, "wire_in", "frames"); }},
      {"frames-out", "Sent", "frames/s",
       [](const Json& run) { return rate(run, "wire_out", "frames"); }},
      {"transit50", "Through the machine, median (worst adapter)", "s",
       [](const Json& run) { return worst_transit(run, "p50_ns"); }},
      {"transit99", "Through the machine, 99 % (worst adapter)", "s",
       [](const Json& run) { return worst_transit(run, "p99_ns"); }},
      {"bus", "PCI bus busy", "%",
       [](const Json& run) { return 100 * run.at("pci").at("busy").get<double>(); }},
      {"interrupts", "Interrupts", "/s",
       [](const Json& run) {
         return sum(run.at("nics"),
                    [](const Json& nic) { return nic.at("interrupts_per_s").get<double>(); });
       }},
      {"lost", "Frames lost", "frames", losses},
      {"wall", "Simulation took", "s",
       [](const Json& run) { return run.at("wall_s").get<double>(); }}};
  return kFigures;
}

std::string bars(const Figure& figure, const std::vector<Run>& runs) {
  BarChart chart;
  chart.title = figure.title;
  for (const Run& run : runs) {
    const double value = figure.value(run.summary);
    chart.bars.push_back({run.name, {std::isnan(value) ? 0 : value}, shown(value, figure.unit)});
  }
  return "<section id=\"" + std::string(figure.id) + "\"><h2>" + escaped(figure.title) + "</h2>\n" +
         draw(chart) + "</section>\n";
}

/// Against the first run.
std::string change(double value, double first) {
  if (std::isnan(value) || std::isnan(first)) return "-";
  if (first == 0) return value == 0 ? "same" : "-";
  const double percent = 100 * (value - first) / first;
  if (std::abs(percent) < 0.05) return "same";
  const std::string digits = std::to_string(std::llround(std::abs(percent) * 10));
  const std::string whole = digits.size() > 1 ? digits.substr(0, digits.size() - 1) : "0";
  return (percent > 0 ? "+" : "−") + whole + "." + digits.back() + " %";
}

std::string overview(const std::vector<Run>& runs) {
  std::vector<std::vector<std::string>> rows{{"figure"}};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    rows[0].push_back(runs[i].name);
    if (i > 0) rows[0].emplace_back("against the first");
  }
  for (const Figure& figure : figures()) {
    std::vector<std::string> row{figure.title};
    const double first = figure.value(runs.front().summary);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double value = figure.value(runs[i].summary);
      row.push_back(shown(value, figure.unit));
      if (i > 0) row.push_back(change(value, first));
    }
    rows.push_back(row);
  }
  return "<section id=\"figures\" class=\"wide\"><h2>Figures</h2>\n" + table(rows) + "</section>\n";
}

std::string settings(const std::vector<Run>& runs) {
  std::vector<std::vector<std::string>> rows{
      {"run", "application", "PCI", "host", "adapters", "quantum", "seed", "ended by", "fine"}};
  for (const Run& run : runs) {
    const Json& s = run.summary;
    rows.push_back({run.name, s.at("app").get<std::string>(),
                    s.at("pci").at("bus").get<std::string>(),
                    s.at("pci").at("host").get<std::string>(), std::to_string(s.at("nics").size()),
                    short_number(s.at("quantum_ns").get<double>() * 1e-9) + "s",
                    std::to_string(s.at("seed").get<std::uint64_t>()),
                    s.at("ended_by").get<std::string>(), s.at("ok").get<bool>() ? "yes" : "no"});
  }
  return "<section id=\"runs\" class=\"wide\"><h2>Runs</h2>\n" + table(rows) + "</section>\n";
}

}  // namespace

std::string comparison_page(const std::vector<std::pair<std::string, std::string>>& runs) {
  std::vector<Run> read;
  for (const auto& [name, text] : runs) {
    try {
      read.push_back({name, Json::parse(text)});
      // Everything that is asked for later is there, or the file is named now.
      for (const Figure& figure : figures()) figure.value(read.back().summary);
      settings({read.back()});
    } catch (const Json::exception& error) {
      throw std::invalid_argument(name + ": is no summary of e1000-sim --json: " + error.what());
    }
  }
  std::string body = "<h1>e1000-sim: " + std::to_string(read.size()) +
                     " runs compared</h1>\n<main>" + settings(read) + overview(read);
  for (const Figure& figure : figures()) body += bars(figure, read);
  return page("e1000-sim: runs compared", body + "</main>\n");
}

}  // namespace e1000tlm::trace
