#include "testbenches/timing/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "e1000tlm/tlm/output_file.h"

namespace e1000tlm::timing {
namespace {

constexpr const char* kKinds[] = {"exact", "published", "predicted", "unfitted"};

/// Figures are whole numbers as far as exact points go; anything else is rounded for people.
std::string figure(double value) {
  return number(value, value == std::floor(value) || std::fabs(value) >= 1000 ? 0 : 2);
}

std::string deviation(const Point& p) {
  if (p.expected == p.measured) return "0";
  if (p.expected == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%+.1f %%", (p.measured / p.expected - 1) * 100);
  return text;
}

std::string verdict(const Point& p) { return p.pass() ? "pass" : "MISS"; }

void print(const Rows& rows) {
  std::vector<std::size_t> width;
  for (const auto& row : rows) {
    width.resize(std::max(width.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(width[i] - row[i].size(), ' ');
      line += i == 0 ? " " + row[i] + pad : "  " + pad + row[i];
    }
    std::printf("%s\n", line.c_str());
  }
}

std::string to_markdown(const Rows& rows) {
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    text += "|";
    for (const std::string& cell : rows[r]) text += " " + cell + " |";
    text += "\n";
    if (r != 0) continue;
    text += "|";
    for (std::size_t i = 0; i < rows[r].size(); ++i) text += i == 0 ? "---|" : "---:|";
    text += "\n";
  }
  return text;
}

/// Throws std::runtime_error unless all of it is there.
void write_file(const std::string& path, const std::string& text) {
  overwrite_file("file", path,
                 ConstBytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  std::string s = text;
  std::size_t at = s.find('.');
  if (at == std::string::npos) at = s.size();
  const std::size_t first = s[0] == '-' ? 1 : 0;
  while (at > first + 3) s.insert(at -= 3, ",");
  return s;
}

bool Point::pass() const {
  if (kind == Kind::kUnfitted) return true;
  if (kind == Kind::kExact) return expected == measured;
  return std::fabs(measured - expected) <= tolerance * std::fabs(expected);
}

void Report::points(const std::string& block, const std::string& title,
                    const std::vector<Point>& points) {
  Rows rows{{"point", "expected", "measured", "unit", "deviation", ""}};
  for (const Point& p : points) {
    rows.push_back(
        {p.what, figure(p.expected), figure(p.measured), p.unit, deviation(p), verdict(p)});
    points_.push_back(p);
  }
  std::printf("\n%s\n", title.c_str());
  print(rows);
  std::fflush(stdout);
  blocks_[block] = std::move(rows);
}

void Report::unfitted(const std::string& block, const std::string& title,
                      const std::vector<Point>& points) {
  Rows rows{{"published", "figure", "model", "unit", "deviation", "why"}};
  for (const Point& p : points) {
    rows.push_back({p.what, figure(p.expected), figure(p.measured), p.unit, deviation(p), p.note});
    points_.push_back(p);
  }
  std::printf("\n%s\n", title.c_str());
  print(rows);
  std::fflush(stdout);
  blocks_[block] = std::move(rows);
}

void Report::matrix(const std::string& block, const std::string& title,
                    const std::vector<Point>& points) {
  Rows rows{{points.empty() ? "" : points.front().unit}};
  for (const Point& p : points) {
    const std::size_t colon = p.what.find(": ");
    const std::string row = p.what.substr(0, colon), column = p.what.substr(colon + 2);
    if (rows.back()[0] != row) rows.push_back({row});
    const std::size_t at = rows.back().size();
    if (rows[0].size() <= at) rows[0].push_back(column);
    rows.back().push_back(figure(p.measured) +
                          (p.pass() ? "" : " MISS, expected " + figure(p.expected)));
    points_.push_back(p);
  }
  std::printf("\n%s\n", title.c_str());
  print(rows);
  std::fflush(stdout);
  blocks_[block] = std::move(rows);
}

void Report::predict(const Point& point) {
  points_.push_back(point);
  if (point.pass()) return;
  std::printf("  MISS: %s: expected %s, measured %s %s (%s)\n", point.what.c_str(),
              figure(point.expected).c_str(), figure(point.measured).c_str(), point.unit.c_str(),
              deviation(point).c_str());
}

void Report::sweep(const std::string& name, const std::string& title, const Rows& shown,
                   const Rows& all) {
  std::printf("\n%s\n", title.c_str());
  print(shown);
  std::fflush(stdout);
  blocks_[name] = shown;
  csv_[name] = all.empty() ? shown : all;
}

void Report::block(const std::string& name, const Rows& rows) { blocks_[name] = rows; }

unsigned Report::exact_missed() const {
  return static_cast<unsigned>(std::count_if(points_.begin(), points_.end(), [](const Point& p) {
    return p.kind == Kind::kExact && !p.pass();
  }));
}

unsigned Report::missed() const {
  return static_cast<unsigned>(
      std::count_if(points_.begin(), points_.end(), [](const Point& p) { return !p.pass(); }));
}

void Report::write_data(const std::string& directory) const {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Point& p : points_) {
    all.push_back({{"what", p.what},
                   {"kind", kKinds[static_cast<unsigned>(p.kind)]},
                   {"expected", p.expected},
                   {"measured", p.measured},
                   {"unit", p.unit},
                   {"tolerance", p.tolerance},
                   {"pass", p.pass()},
                   {"note", p.note}});
  }
  write_file(directory + "/points.json", all.dump(2) + "\n");
  for (const auto& [name, rows] : csv_) {
    std::string text;
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        std::string cell = row[i];
        cell.erase(std::remove(cell.begin(), cell.end(), ','), cell.end());
        text += (i == 0 ? "" : ",") + cell;
      }
      text += "\n";
    }
    write_file(std::string(directory).append("/").append(name).append(".csv"), text);
  }
}

std::string Report::markdown(const std::string& name) const {
  const auto found = blocks_.find(name);
  if (found == blocks_.end()) throw std::runtime_error("no table is called " + name);
  return to_markdown(found->second);
}

bool Report::up_to_date(const std::string& path, const std::string& name) const {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string block = "<!-- " + name + " -->\n\n" + markdown(name) + "\n<!-- end -->\n";
  return text.str().find(block) != std::string::npos;
}

void Report::update_document(const std::string& path) const {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream out;
  std::string line;
  while (std::getline(in, line)) {
    out << line << "\n";
    if (line.rfind("<!-- ", 0) != 0 || line == "<!-- end -->") continue;
    out << "\n" << markdown(line.substr(5, line.size() - 5 - 4)) << "\n";
    while (std::getline(in, line) && line != "<!-- end -->") {
    }
    if (line != "<!-- end -->") throw std::runtime_error(path + ": a block has no end");
    out << line << "\n";
  }
  in.close();
  write_file(path, out.str());
}

}  // namespace e1000tlm::timing
