#include "e1000tlm/trace/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace e1000tlm::trace {
namespace {

constexpr int kWidth = 640, kLeft = 64, kRight = 12, kTop = 14, kPlot = 170, kFoot = 30;
constexpr int kColours = 10;
constexpr int kRow = 24, kNames = 250, kLabels = 110;

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::string colour(std::size_t index) {
  return "c" + std::to_string(index % static_cast<std::size_t>(kColours));
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         escaped(text) + "</text>";
}

/// The next number whose quarters are short and that is not less.
double round_up(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0}) {
    if (value <= step * power * 1.0000001) return step * power;
  }
  return 10 * power;
}

std::string legend(const std::vector<std::string>& names) {
  std::string text = "<div class=\"legend\">";
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += "<span><i class=\"" + colour(i) + "\"></i>" + escaped(names[i]) + "</span>";
  }
  return text + "</div>";
}

std::string open(const std::string& title, int height) {
  return "<svg role=\"img\" tabindex=\"0\" viewBox=\"0 0 " + std::to_string(kWidth) + " " +
         std::to_string(height) + "\" aria-label=\"" + escaped(title) + "\">\n<title>" +
         escaped(title) + "</title>\n";
}

std::string grid(const LineChart& chart, double top, std::size_t intervals) {
  std::string text;
  constexpr int kLines = 4;
  for (int i = 0; i <= kLines; ++i) {
    const double y = kTop + kPlot - kPlot * i / static_cast<double>(kLines);
    text += "<line class=\"grid\" x1=\"" + std::to_string(kLeft) + "\" x2=\"" +
            std::to_string(kWidth - kRight) + "\" y1=\"" + number(y) + "\" y2=\"" + number(y) +
            "\"/>" + text_at(kLeft - 6, y + 4, "end", short_number(top * i / kLines));
  }
  const double span = chart.interval * static_cast<double>(intervals);
  for (int i = 0; i <= kLines; ++i) {
    const double x = kLeft + (kWidth - kLeft - kRight) * i / static_cast<double>(kLines);
    text += text_at(x, kTop + kPlot + 18, i == kLines ? "end" : "middle",
                    short_number(span * i / kLines) + "s");
  }
  return text;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default:
        // Control characters are not allowed even as references.
        result += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return result;
}

std::string short_number(double value) {
  struct Prefix {
    double factor;
    const char* name;
  };
  constexpr std::array<Prefix, 8> kPrefixes{{{1e12, "T"},
                                             {1e9, "G"},
                                             {1e6, "M"},
                                             {1e3, "k"},
                                             {1, ""},
                                             {1e-3, "m"},
                                             {1e-6, "µ"},
                                             {1e-9, "n"}}};
  if (value == 0) return "0 ";
  for (const Prefix& prefix : kPrefixes) {
    if (std::abs(value) < prefix.factor * 0.9999 && prefix.factor != 1e-9) continue;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.4g ", value / prefix.factor);
    return std::string(text.data()) + prefix.name;
  }
  return "0 ";
}

std::string draw(const LineChart& chart) {
  double most = chart.top;
  std::size_t intervals = 1;
  std::vector<std::string> names;
  for (const Line& line : chart.lines) {
    for (const double value : line.values) most = std::max(most, value);
    intervals = std::max(intervals, line.values.size());
    names.push_back(line.name);
  }
  const double top = round_up(most);
  const double step = (kWidth - kLeft - kRight) / static_cast<double>(intervals);
  std::string svg = open(chart.title, kTop + kPlot + kFoot) + grid(chart, top, intervals);
  for (std::size_t l = 0; l < chart.lines.size(); ++l) {
    svg += "\n<path class=\"line " + colour(l) + "\" d=\"";
    const std::vector<double>& values = chart.lines[l].values;
    for (std::size_t i = 0; i < intervals; ++i) {
      const double value = i < values.size() ? values[i] : 0;
      const double y = kTop + kPlot - kPlot * value / top;
      const double x = kLeft + step * static_cast<double>(i);
      svg += (i == 0 ? "M" : "L") + number(x) + " " + number(y) + "H" + number(x + step);
    }
    svg += "\"/>";
  }
  // What stands under the pointer.
  for (std::size_t i = 0; i < intervals; ++i) {
    svg += "\n<rect class=\"hover\" x=\"" + number(kLeft + step * static_cast<double>(i)) +
           "\" y=\"" + std::to_string(kTop) + "\" width=\"" + number(step) + "\" height=\"" +
           std::to_string(kPlot) + "\"><title>" +
           escaped(short_number(chart.interval * static_cast<double>(i))) + "s";
    for (const Line& line : chart.lines) {
      svg += "\n" + escaped(line.name) + ": " +
             short_number(i < line.values.size() ? line.values[i] : 0) + escaped(chart.unit);
    }
    svg += "</title></rect>";
  }
  return svg + "\n</svg>\n" + legend(names);
}

std::string draw(const BarChart& chart) {
  double most = 0;
  for (const Bar& bar : chart.bars) {
    double sum = 0;
    for (const double piece : bar.pieces) sum += piece;
    most = std::max(most, sum);
  }
  const int height = kRow * static_cast<int>(chart.bars.size()) + 8;
  std::string svg = open(chart.title, height);
  const double scale = most > 0 ? (kWidth - kNames - kLabels) / most : 0;
  double y = 4;
  for (const Bar& bar : chart.bars) {
    svg += text_at(kNames - 8, y + 15, "end", bar.name);
    double x = kNames;
    for (std::size_t i = 0; i < bar.pieces.size(); ++i) {
      const double width = bar.pieces[i] * scale;
      if (width > 0) {
        svg += "<rect class=\"" + colour(i) + "\" x=\"" + number(x) + "\" y=\"" + number(y + 2) +
               "\" width=\"" + number(std::max(width, 0.5)) + "\" height=\"" +
               std::to_string(kRow - 6) + "\"><title>" +
               escaped(i < chart.pieces.size() ? chart.pieces[i] : bar.name) + ": " +
               escaped(bar.pieces.size() == 1 ? bar.label : short_number(bar.pieces[i])) +
               "</title></rect>";
      }
      x += width;
    }
    svg += text_at(x + 6, y + 15, "start", bar.label) + "\n";
    y += kRow;
  }
  return svg + "</svg>\n" + (chart.pieces.empty() ? "" : legend(chart.pieces));
}

}  // namespace e1000tlm::trace
