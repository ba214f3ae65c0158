#pragma once
/// Points, tables and files that the command makes. No SystemC.

#include <map>
#include <string>
#include <vector>

namespace e1000tlm::timing {

enum class Kind : unsigned char {
  kExact,      ///< arithmetic: must be met to the last digit
  kPublished,  ///< somebody measured it: within 10 %
  kPredicted,  ///< arithmetic that leaves something out: within its tolerance
  kUnfitted,   ///< somebody measured it, and nothing was fitted to it: no limit, `note` says why
};

/// One figure of the simulation beside what it ought to be.
struct Point {
  std::string what;
  double expected = 0, measured = 0;
  std::string unit;
  Kind kind = Kind::kExact;
  double tolerance = 0;  ///< relative
  std::string note;      ///< source, or why it is missed

  bool pass() const;
};

/// A sweep: columns of text, the first row names them.
using Rows = std::vector<std::vector<std::string>>;

class Report {
 public:
  /// Prints the points as a table, one a line, and keeps them.
  void points(const std::string& block, const std::string& title, const std::vector<Point>& points);
  /// The same for points that cannot be missed, with the reasons for what they differ by.
  void unfitted(const std::string& block, const std::string& title,
                const std::vector<Point>& points);
  /// The same for points that are called "row: column": as a matrix of the measured figures, each
  /// missed one with the expected one.
  void matrix(const std::string& block, const std::string& title, const std::vector<Point>& points);
  /// Keeps a point without printing it, unless it is missed.
  void predict(const Point& point);
  /// Prints `shown` and keeps it for the document; writes `all` (or `shown`) as CSV.
  void sweep(const std::string& name, const std::string& title, const Rows& shown,
             const Rows& all = {});
  /// Keeps a table for the document only.
  void block(const std::string& name, const Rows& rows);

  unsigned exact_missed() const;
  unsigned missed() const;
  std::size_t count() const { return points_.size(); }

  /// points.json and the sweeps' CSV files. Throws std::runtime_error.
  void write_data(const std::string& directory) const;
  /// Replaces what stands between "<!-- NAME -->" and "<!-- end -->" in the document by the table
  /// of that name. Throws std::runtime_error if a name or the file is missing.
  void update_document(const std::string& path) const;
  /// Is this block in the document as update_document() would put it? Throws std::runtime_error.
  bool up_to_date(const std::string& path, const std::string& name) const;

 private:
  std::string markdown(const std::string& name) const;

  std::vector<Point> points_;
  std::map<std::string, Rows> blocks_;
  std::map<std::string, Rows> csv_;
};

/// With thousands separators; `digits` behind the point.
std::string number(double value, int digits = 0);

}  // namespace e1000tlm::timing
