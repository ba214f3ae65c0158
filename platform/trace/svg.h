#pragma once
/// Charts as SVG, drawn without a library and without scripts: colours come from the page's style
/// sheet, so that they follow light and dark. Strings only.

#include <string>
#include <utility>
#include <vector>

namespace e1000tlm::trace {

/// Text for HTML and SVG.
std::string escaped(const std::string& text);
/// At most four significant digits, with a prefix: "1.23 M".
std::string short_number(double value);

/// A line over time.
struct Line {
  /// In the legend.
  std::string name;
  /// One for each interval.
  std::vector<double> values;
};

/// Lines over the same intervals.
struct LineChart {
  /// What is drawn, for those who do not see it.
  std::string title;
  /// Of the values.
  std::string unit;
  /// Seconds an interval lasts.
  double interval = 0;
  /// The lines; up to six have a colour of their own.
  std::vector<Line> lines;
  /// The top of the axis at least, in the unit; 0: what the lines need.
  double top = 0;
};
/// An svg element with legend, axes, and a title for each point's interval.
std::string draw(const LineChart& chart);

/// One bar, of several pieces.
struct Bar {
  /// At its left.
  std::string name;
  /// Piece after piece.
  std::vector<double> pieces;
  /// At its right.
  std::string label;
};

/// Horizontal bars.
struct BarChart {
  /// As in LineChart.
  std::string title;
  /// Of the pieces, for the legend; empty: one piece, no legend.
  std::vector<std::string> pieces;
  /// From the top.
  std::vector<Bar> bars;
};
/// An svg element.
std::string draw(const BarChart& chart);

}  // namespace e1000tlm::trace
