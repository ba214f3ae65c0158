#include "e1000tlm/trace/page.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <initializer_list>

#include "e1000tlm/trace/svg.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::trace {
namespace {

using traffic::format_count;
using traffic::format_time;
using Rows = std::vector<std::vector<std::string>>;

constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--box:#f6f8fa;
--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df;--c4:#bf3989;--c5:#9a6700;--c6:#0a7ea4;
--c7:#6e7781;--c8:#cf222e;--c9:#4d7c0f}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;--line:#30363d;
--box:#161b22;--c0:#58a6ff;--c1:#f0883e;--c2:#3fb950;--c3:#bc8cff;--c4:#f778ba;--c5:#d29922;
--c6:#39c5cf;--c7:#8b949e;--c8:#ff7b72;--c9:#a5d664}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:1280px;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.05rem;margin:0 0 .6rem}
p{margin:.4rem 0}.dim{color:var(--dim)}
a{color:var(--c0)}a:focus-visible,svg:focus-visible,summary:focus-visible,.scroll:focus-visible{
outline:2px solid var(--c0);outline-offset:2px}
nav{margin:.6rem 0;line-height:2}nav a{margin-right:.9rem;white-space:nowrap}
main{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:1rem}
section{border:1px solid var(--line);border-radius:8px;padding:1rem;background:var(--box);
min-width:0}
section.wide{grid-column:1/-1}
svg{width:100%;height:auto;display:block;max-width:680px}
.side{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:1rem}
svg text{fill:var(--dim);font-size:12px;font-family:system-ui,sans-serif}
.grid{stroke:var(--line)}.line{fill:none;stroke-width:1.8}
.hover{fill:transparent}.hover:hover{fill:var(--fg);fill-opacity:.08}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top}
td.n{text-align:right;white-space:nowrap}tr{border-bottom:1px solid var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.85rem;color:var(--dim)}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.4em;border-radius:2px}
.tiles{display:flex;flex-wrap:wrap;gap:.6rem}
.tiles div{border:1px solid var(--line);border-radius:8px;padding:.5rem .8rem;background:var(--box)}
.tiles b{display:block;font-size:1.15rem}
.verdict{border-left:4px solid var(--c0);padding:.4rem .8rem;background:var(--box)}
.bad{border-left-color:var(--c8)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0;font-size:.85rem}
@media(max-width:600px){svg text{font-size:15.5px}}
@media print{body{max-width:none;padding:0}nav{display:none}section{break-inside:avoid}
main{grid-template-columns:1fr 1fr}}
)";

std::string colours() {
  std::string css;
  for (int i = 0; i < 10; ++i) {
    const std::string n = std::to_string(i);
    css += "path.c" + n + "{stroke:var(--c" + n + ")}rect.c" + n + "{fill:var(--c" + n + ")}i.c" +
           n + "{background:var(--c" + n + ")}\n";
  }
  return css;
}

bool is_number(const std::string& text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) != 0;
}

/// Sections, and where to find them.
class Body {
 public:
  void add(const std::string& id, const std::string& title, const std::string& content,
           bool wide = false) {
    links_ += "<a href=\"#" + id + "\">" + escaped(title) + "</a> ";
    sections_ += "<section id=\"" + id + "\"" + (wide ? " class=\"wide\"" : "") + "><h2>" +
                 escaped(title) + "</h2>\n" + content + "</section>\n";
  }
  std::string text(const std::string& head) const {
    return head + "<nav aria-label=\"Sections\">" + links_ + "</nav>\n<main>\n" + sections_ +
           "</main>\n";
  }

 private:
  std::string links_, sections_;
};

double seconds(Time time) { return static_cast<double>(time.count()) / 1e12; }

std::string none(const std::string& what) { return "<p class=\"dim\">" + what + "</p>\n"; }

/// Values of a series, each times a factor.
Line line_of(const std::string& name, const Series& series, double factor) {
  Line line{name, series.values()};
  for (double& value : line.values) value *= factor;
  return line;
}

LineChart chart(const std::string& title, const std::string& unit, Time width) {
  LineChart result;
  result.title = title;
  result.unit = unit;
  result.interval = seconds(width);
  return result;
}

/// Series of one chart, with the same intervals.
void align(std::initializer_list<Series*> all) {
  Time width{};
  for (const Series* series : all) width = std::max(width, series->width());
  for (Series* series : all) series->widen(width);
}

std::string tile(const std::string& value, const std::string& what) {
  return "<div><b>" + escaped(value) + "</b>" + escaped(what) + "</div>";
}

std::string percent(double share) {
  std::string text = std::to_string(std::llround(share * 1000));
  if (text.size() < 2) text.insert(0, "0");
  text.insert(text.size() - 1, ".");
  return text + " %";
}

/// Makes a sum over an interval a rate.
double per_second(Time width) { return 1.0 / seconds(width); }

std::string head(const platform::RunSummary& s, const History& h) {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  std::uint64_t interrupts = 0;
  double bits_in = 0;
  double bits_out = 0;
  for (const platform::NicSummary& n : s.nics) {
    in += n.wire_in.frames;
    out += n.wire_out.frames;
    interrupts += n.interrupts;
    bits_in += 8.0 * static_cast<double>(n.wire_in.bytes);
    bits_out += 8.0 * static_cast<double>(n.wire_out.bytes);
  }
  const bool traffic = h.origin() != kTimeNever && h.latest() > h.origin();
  const double span = traffic ? seconds(h.latest() - h.origin()) : 0;
  const auto rate = [&](double bits) {
    return span > 0 ? traffic::format_bit_rate(bits / span) : std::string("none");
  };
  std::string text = "<h1>e1000-sim: " + escaped(s.app) + "</h1>\n<p class=\"dim\">" +
                     std::to_string(s.nics.size()) + " adapter" + (s.nics.size() == 1 ? "" : "s") +
                     ", PCI " + escaped(s.pci.name) + ", host " + escaped(s.pci.host) + ", " +
                     (s.quantum == kTimeZero ? std::string("approximately timed")
                                             : "loosely timed, quantum " + format_time(s.quantum)) +
                     ", seed " + std::to_string(s.seed) + "</p>\n";
  text += "<p class=\"verdict\">" + escaped(bottleneck(h)) + "</p>\n";
  for (const std::string& failure : s.failures) {
    text += "<p class=\"verdict bad\">Failed: " + escaped(failure) + "</p>\n";
  }
  for (const std::string& warning : s.warnings) {
    text += "<p class=\"verdict\">" + escaped(warning) + "</p>\n";
  }
  text += "<div class=\"tiles\">" + tile(format_count(in), "frames in") +
          tile(rate(bits_in), "in") + tile(format_count(out), "frames out") +
          tile(rate(bits_out), "out") + tile(percent(s.pci.busy), "PCI bus busy") +
          tile(format_count(interrupts), "interrupts") +
          tile(format_count(s.losses()), "frames lost") +
          tile(format_time(s.simulated), "simulated") + "</div>\n";
  return text;
}

std::string throughput(History& h) {
  align({&h.wire_in, &h.wire_out});
  LineChart c =
      chart("Bits per second on the wire, with preamble and gap, over time", "", h.wire_in.width());
  c.lines = {line_of("in, bit/s", h.wire_in, per_second(h.wire_in.width())),
             line_of("out, bit/s", h.wire_out, per_second(h.wire_out.width()))};
  return draw(c);
}

std::string bus_over_time(const History& h) {
  LineChart c = chart("Share of time in which the PCI bus was busy", "", h.bus.width());
  const double whole = static_cast<double>(h.bus.width().count()) * std::max(1U, h.boards);
  c.lines = {line_of("busy, %", h.bus, 100 / whole)};
  c.top = 100;
  return draw(c);
}

std::string bus_shares(const History& h) {
  std::map<std::string, BusShare> by_use;
  Rows rows{{"master", "command", "what for", "accesses", "bytes", "time on the bus"}};
  for (const auto& [key, share] : h.shares) {
    const auto& [nic, command, use] = key;
    const std::string master = nic == kNoNic ? "host" : "NIC " + std::to_string(nic);
    const std::string what(kUseNames.at(static_cast<std::size_t>(use)));
    rows.push_back({master, std::string(command_name(command)), what, format_count(share.accesses),
                    format_count(share.bytes), format_time(share.busy)});
    by_use[what].busy += share.busy;
  }
  if (by_use.empty()) return none("Nobody used the bus.");
  BarChart c;
  c.title = "Time on the bus by what it was for";
  for (const auto& [what, share] : by_use) {
    c.bars.push_back({what, {seconds(share.busy)}, format_time(share.busy)});
  }
  return draw(c) + "<details><summary>By master and command</summary>" + table(rows) +
         "</details>\n";
}

std::string levels(History& h) {
  align({&h.fifo, &h.transmit_fifo});
  LineChart fifo = chart("Most bytes in a FIFO", "", h.fifo.width());
  fifo.lines = {line_of("receive FIFO, bytes", h.fifo, 1),
                line_of("transmit FIFO, bytes", h.transmit_fifo, 1)};
  return draw(fifo);
}

std::string rings(History& h) {
  align({&h.rings[0], &h.rings[1]});
  LineChart c =
      chart("Most descriptors that hardware owned when software rang", "", h.rings[0].width());
  c.lines = {line_of("receive, descriptors", h.rings[0], 1),
             line_of("transmit, descriptors", h.rings[1], 1)};
  return draw(c);
}

std::string interrupts(const History& h) {
  LineChart c = chart("Interrupts per second", "", h.interrupts.width());
  c.lines = {
      line_of("assertions of the line, 1/s", h.interrupts, per_second(h.interrupts.width()))};
  Rows rows{{"causes set at the assertion", "interrupts"}};
  for (const auto& [causes, count] : h.causes) rows.push_back({causes, format_count(count)});
  return draw(c) + (rows.size() > 1 ? table(rows) : none("No interrupt."));
}

std::string sizes(const History& h) {
  BarChart c;
  c.title = "Frames by size";
  c.pieces = {"in", "out"};
  std::uint32_t least = 0;
  for (std::size_t i = 0; i <= kSizeClasses.size(); ++i) {
    const bool last = i == kSizeClasses.size();
    const std::string name = last ? "over " + std::to_string(kSizeClasses.back())
                                  : (i == 0 ? "up to " : std::to_string(least) + " to ") +
                                        std::to_string(kSizeClasses.at(i));
    const std::uint64_t in = h.sizes[0].at(i);
    const std::uint64_t out = h.sizes[1].at(i);
    c.bars.push_back({name + " bytes",
                      {static_cast<double>(in), static_cast<double>(out)},
                      format_count(in + out)});
    if (!last) least = kSizeClasses.at(i) + 1;
  }
  return draw(c);
}

std::string drops(History& h, const platform::RunSummary& s) {
  Time width{};
  for (auto& [reason, series] : h.drops) width = std::max(width, series.width());
  LineChart c = chart("Frames lost or filtered on arrival", "frames", width);
  for (auto& [reason, series] : h.drops) {
    series.widen(width);
    c.lines.push_back(line_of(reason, series, 1));
  }
  Rows rows{{"adapter", "reason", "frames"}};
  for (std::size_t i = 0; i < s.nics.size(); ++i) {
    for (const auto* counts : {&s.nics[i].lost, &s.nics[i].filtered}) {
      for (const auto& [reason, count] : *counts) {
        rows.push_back({"NIC " + std::to_string(i), reason, format_count(count)});
      }
    }
  }
  return (c.lines.empty() ? "" : draw(c)) +
         (rows.size() > 1 ? table(rows) : none("No frame was lost."));
}

std::string latency(const Attribution& a, const std::string& what) {
  if (a.total.count() == 0) return none("No frame was followed.");
  Time sum{};
  for (const Time part : a.sums) sum += part;
  const auto time = [](std::uint64_t ps) {
    return format_time(Time{static_cast<std::int64_t>(ps)});
  };
  BarChart c;
  c.title = what;
  Rows rows{{"part", "share", "mean", "median", "90 %", "99 %", "most"}};
  const auto row = [&](const std::string& name, const traffic::Histogram& t, double share) {
    rows.push_back({name, percent(share), time(static_cast<std::uint64_t>(t.mean())),
                    time(t.percentile(50)), time(t.percentile(90)), time(t.percentile(99)),
                    time(t.max())});
  };
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    if (a.sums.at(i) == kTimeZero) continue;
    const double share =
        static_cast<double>(a.sums.at(i).count()) / static_cast<double>(sum.count());
    c.bars.push_back({std::string(kPartNames.at(i)), {share}, percent(share)});
    row(std::string(kPartNames.at(i)), a.parts.at(i), share);
  }
  row("together", a.total, 1);
  return "<p class=\"dim\">" + format_count(a.total.count()) + " frames. " + what +
         "</p>\n<div class=\"side\"><div>" + draw(c) + "</div>" + table(rows) + "</div>\n";
}

/// Powers of two of nanoseconds.
std::string histogram(const Attribution& in, const Attribution& out) {
  BarChart c;
  c.title = "Frames by latency";
  c.pieces = {"received", "sent"};
  std::vector<Bar> bars;
  for (std::size_t i = 0; i < in.doublings.size(); ++i) {
    const std::uint64_t a = in.doublings.at(i);
    const std::uint64_t b = out.doublings.at(i);
    if (a + b == 0 && bars.empty()) continue;
    bars.push_back({"up to " + format_time(ns(1) * (std::int64_t{1} << i)),
                    {static_cast<double>(a), static_cast<double>(b)},
                    format_count(a + b)});
  }
  while (!bars.empty() && bars.back().label == "0") bars.pop_back();
  if (bars.empty()) return none("No frame was followed.");
  c.bars = std::move(bars);
  return draw(c);
}

std::string link_events(const History& h) {
  Rows rows{{"time", "adapter", "event"}};
  for (const auto& [at, nic] : h.link_changes) {
    rows.push_back({format_time(at), "NIC " + std::to_string(nic), "link status change (LSC)"});
  }
  return rows.size() > 1 ? table(rows) : none("Software was told of no change.");
}

std::string adapters(const platform::RunSummary& s) {
  Rows rows{{"adapter", "part", "address", "connected to", "link", "frames in", "frames out",
             "interrupts", "lost"}};
  for (std::size_t i = 0; i < s.nics.size(); ++i) {
    const platform::NicSummary& n = s.nics[i];
    std::uint64_t lost = 0;
    for (const auto& [reason, count] : n.lost) lost += count;
    rows.push_back({"NIC " + std::to_string(i), n.part, n.mac, n.link,
                    n.link_up ? std::to_string(n.mbit_per_second) + " Mbit/s" +
                                    (n.full_duplex ? "" : " half duplex")
                              : "down",
                    format_count(n.wire_in.frames), format_count(n.wire_out.frames),
                    format_count(n.interrupts), format_count(lost)});
  }
  return table(rows);
}

std::string switches(const platform::RunSummary& s) {
  std::string text;
  for (const platform::SwitchSummary& hub : s.switches) {
    Rows rows{{"port", "link", "frames in", "frames out", "lost", "filtered"}};
    const auto sum = [](const std::map<std::string, std::uint64_t>& counts) {
      std::uint64_t total = 0;
      for (const auto& [reason, count] : counts) total += count;
      return format_count(total);
    };
    for (const platform::SwitchPortSummary& port : hub.ports) {
      rows.push_back({port.to, std::to_string(port.mbit_per_second) + " Mbit/s",
                      format_count(port.in.frames), format_count(port.out.frames), sum(port.lost),
                      sum(port.filtered)});
    }
    text += "<p>Switch " + escaped(hub.name) + ": " + format_count(hub.forwarded) +
            " frames forwarded, " + format_count(hub.flooded) + " flooded, " +
            format_count(hub.stations) + " stations</p>\n" + table(rows);
  }
  return text;
}

std::string repeat(const platform::RunSummary& s, const std::string& command) {
  return "<pre>" + escaped(command) + "</pre><p class=\"dim\">e1000-sim " + escaped(s.version) +
         ". Without links to the live world the same command gives the same run. It took " +
         format_time(Time{static_cast<std::int64_t>(s.wall_seconds * 1e12)}) +
         " and ended with: " + escaped(s.ended_by) + ".</p>\n";
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::string text = "<div class=\"scroll\" tabindex=\"0\"><table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    text += "<tr>";
    for (const std::string& cell : rows[r]) {
      text += r == 0 ? "<th scope=\"col\">" + escaped(cell) + "</th>"
                     : (is_number(cell) ? "<td class=\"n\">" : "<td>") + escaped(cell) + "</td>";
    }
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

std::string page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n<title>" +
         escaped(title) + "</title>\n<style>" + kStyle + colours() + "</style>\n</head>\n<body>\n" +
         body + "</body>\n</html>\n";
}

std::string report_page(const platform::RunSummary& summary, const History& history,
                        const std::string& command) {
  History h = history;  // intervals are made equal
  Body body;
  body.add("throughput", "Throughput over time", throughput(h));
  body.add("bus", "PCI bus over time", bus_over_time(h));
  body.add("received", "Where received frames spend their time",
           latency(h.latency[0], "From the first bit to software's next access to the adapter."),
           true);
  body.add("sent", "Where sent frames spend their time",
           latency(h.latency[1],
                   "From the doorbell over the wire to software's next access after the "
                   "write-back."),
           true);
  body.add("latency", "Latency", histogram(h.latency[0], h.latency[1]));
  body.add("use", "What the bus was used for", bus_shares(h));
  body.add("interrupts", "Interrupts", interrupts(h));
  body.add("fifo", "FIFOs", levels(h));
  body.add("rings", "Descriptor rings", rings(h));
  body.add("sizes", "Frame sizes", sizes(h));
  body.add("drops", "Frames lost", drops(h, summary));
  body.add("links", "Link events", link_events(h));
  body.add("adapters", "Adapters", adapters(summary), true);
  if (!summary.switches.empty()) body.add("switches", "Switches", switches(summary), true);
  body.add("repeat", "How to repeat this run", repeat(summary, command), true);
  return page("e1000-sim: " + summary.app, body.text(head(summary, h)));
}

}  // namespace e1000tlm::trace
