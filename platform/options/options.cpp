#include "e1000tlm/options/options.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <boost/program_options.hpp>

#include "e1000tlm/board/impair_keys.h"
#include "e1000tlm/options/network_options.h"
#include "e1000tlm/options/nic_option.h"
#include "e1000tlm/options/option_error.h"
#include "e1000tlm/options/option_sources.h"
#include "e1000tlm/options/value_parsers.h"
#include "e1000tlm/pci/host_timing.h"
#include "e1000tlm/traffic/generator.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::platform {
namespace {

namespace po = boost::program_options;

constexpr std::uint64_t kDefaultFrames = 100'000;
constexpr std::uint64_t kDefaultPings = 4;
constexpr std::uint64_t kMostEvents = 100'000'000;
constexpr std::uint64_t kMostBoards = 1000;
constexpr Time kMostQuantum = ms(1'000);  // drivers' timeouts are longer
constexpr std::uint64_t kLeastRam = 4U << 20, kMostRam = 0xC000'0000;
constexpr Time kDoorQuantum = us(1);              // with --vfio-user
constexpr std::uint64_t kClientRam = 128U << 20;  // as QEMU's machines have by default

/// Names and keys of --host.
std::string host_text() {
  std::string text;
  for (const pci::HostProfile& host : pci::host_profiles()) {
    text.append(text.empty() ? "" : "; ").append(host.name).append(" (").append(host.what) += ")";
  }
  text += ". Keys: ";
  const char* separator = "";
  for (const pci::HostKey& key : pci::host_keys()) {
    text.append(std::exchange(separator, "; ")).append(key.name).append("=").append(key.what);
  }
  return text;
}

/// What a configuration file may say.
void describe_run(po::options_description& all) {
  auto add = all.add_options();
  add("app", po::value<std::string>()->value_name("NAME"),
      "what the driver does: sink, reflect (default), generate, forward, blast with frames; "
      "selftest "
      "of the adapters, as ethtool -t; ping: get an address by DHCP and ping the gateway");
  add("nic", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE,..."),
      nic_help().c_str());
  add("link", po::value<std::vector<std::string>>()->composing()->value_name("KIND:..."),
      "what the adapters are connected to, in their order (see below); help: list the kinds");
  add("switch",
      po::value<std::vector<std::string>>()->composing()->value_name("NAME:KEY=VALUE,..."),
      "what the switch NAME is like, to which links lead: latency=2us (store and forward, besides "
      "the frame itself), table=8192 (addresses), aging=300s, queue=512KiB (of a port), "
      "max-frame=1522");
  add("hub", po::value<std::vector<std::string>>()->composing()->value_name("NAME:KEY=VALUE,..."),
      "what the hub NAME is like: latency=500ns (first bit in to first bit out), queue=512KiB (of "
      "a "
      "port)");
  add("on-switch", po::value<std::vector<std::string>>()->composing()->value_name("NAME=KIND:..."),
      "hang a link on a port of the switch or hub NAME as well; may be given several times");
  add("filter", po::value<std::vector<std::string>>()->composing()->value_name("LINK:KIND:..."),
      ("a filter on a link; may be given several times, in their order from the adapter on. LINK: "
       "0, "
       "1 ... are the links of the adapters, lan/0 is the first that hangs on lan. Kinds: "
       "dump:file=FILE (pcapng); mirror:to=KIND:... and redirect:to=KIND:... (commas of that link "
       "twice); impair. All take dir=in|out|both (to the adapter, from it). Keys of impair: " +
       impair_keys())
          .c_str());
  add("boards", po::value<std::string>()->value_name("N"),
      "so many equal boards, each with these adapters and links (default 1)");
  add("pci", po::value<std::string>()->value_name("BUS"),
      "width/clock of the bus: 32/33 (default), 32/66, 64/33, 64/66, 64/66x, 64/100x, 64/133x");
  add("host", po::value<std::string>()->value_name("NAME|KEY=VALUE,..."),
      ("how the host bridge and its arbiter answer, a name (default typical), or figures, or "
       "both: " +
       host_text())
          .c_str());
  add("quantum", po::value<std::string>()->value_name("TIME"),
      "0 (default): approximately timed, every access waits for its turn on the bus; else loosely "
      "timed, several times faster: masters do not wait for each other, so results are within this "
      "time only while they ask for less than the bus has (the summary says if not)");
  add("duration", po::value<std::string>()->value_name("TIME"),
      "simulated time to run (default: until all traffic has been handled)");
  add("frames", po::value<std::string>()->value_name("N"),
      "generate, blast: frames of each adapter (default 100000; 0: endless, with --duration). On "
      "links to the live world the run ends when they have come back, or none has for a second. "
      "ping: "
      "echo requests (default 4)");
  add("size", po::value<std::string>()->value_name("BYTES|imix"),
      "generate: frame size with FCS, 64 to 16114, a range such as 64-1518, or imix (default)");
  add("rate", po::value<std::string>()->value_name("RATE"),
      "generate: line (default), 100Mbit/s, 1Gbit/s, 10kfps, 1.488Mfps ...");
  add("to", po::value<std::string>()->value_name("WHOM"),
      "generate: whom each adapter sends to: next (default), pair (0 and 1, 2 and 3 ...), first, "
      "or a MAC address. ping: an IPv4 address (default: the gateway)");
  add("max-frame", po::value<std::string>()->value_name("BYTES"),
      "longest frame with FCS that the driver receives, 1522 (default) to 16114");
  add("driver", po::value<std::string>()->value_name("KEY=VALUE,..."),
      ("settings of the adapters' driver, rings in descriptors, interrupts a second, delays in "
       "1.024 "
       "us: " +
       driver_keys())
          .c_str());
  add("seed", po::value<std::string>()->value_name("N"),
      "of everything random (default 1); the same seed gives the same run");
  add("paced", po::bool_switch(), "keep to the wall clock (links to the live world always do)");
  add("pace", po::value<std::string>()->value_name("FACTOR"),
      "as --paced, but with so many simulated seconds in a second of the wall clock, 0.001 to 1000 "
      "(default 1)");
  add("qtest", po::value<std::string>()->value_name("ADDRESS"),
      "serve QEMU's qtest protocol instead of running the driver: unix:PATH or tcp:HOST:PORT to "
      "listen, with ,server=off to connect; ,keep=off ends with the first client; or stdio");
  add("vfio-user",
      po::value<std::vector<std::string>>()->composing()->value_name("unix:PATH[,KEY=VALUE]"),
      "give an adapter to a virtual machine of somebody else's, such as QEMU's (-device "
      "vfio-user-pci), instead of running the driver; may be given several times, once for each "
      "adapter. nic=N (which, default 0); keep=off (end with the first client); busy=on (never "
      "sleep while waiting for it)");
  add("uml",
      po::value<std::vector<std::string>>()->composing()->value_name("unix:PATH[,KEY=VALUE]"),
      "give an adapter to User-Mode Linux (./run linux does it all), in simulated time; may be "
      "given "
      "several times, once for each adapter. nic=N (which, default 0); time=wall (both keep to the "
      "wall clock instead)");
  add("control", po::value<std::string>()->value_name("ADDRESS"),
      "serve e1000-ctl and other clients while the run goes on (JSON-RPC): unix:PATH or "
      "tcp:HOST:PORT; with ,pause=on simulated time stands still until a client lets it go on");
  add("ram", po::value<std::string>()->value_name("SIZE"),
      "memory of the board, 4MiB to 3GiB (default 64MiB, with --qtest 128MiB)");
  add("strict", po::bool_switch(),
      "a run that loses any frame has failed, whatever the reason (for automatic tests)");
  add("json", po::value<std::string>()->value_name("FILE"),
      "write the summary as JSON; - for standard output");
  add("report", po::value<std::string>()->value_name("FILE.html"),
      "write a page about the run: throughput, bus, latency and where it comes from, interrupts, "
      "losses over time");
  add("trace", po::value<std::string>()->value_name("FILE.json"),
      "write what happened as a trace for ui.perfetto.dev: JSON, or with the suffix .pftrace "
      "Perfetto's own format, which is smaller and faster");
  add("waves", po::value<std::string>()->value_name("FILE.vcd"),
      "write what a logic analyser would show: PCI, interrupts, LEDs, wire, FIFOs; with a save "
      "file for GTKWave");
  add("trace-filter", po::value<std::string>()->value_name("KIND,..."),
      ("only these kinds of events, or with -KIND all others: " + trace::filter_names()).c_str());
  add("trace-window", po::value<std::string>()->value_name("FROM..TO"),
      "only what happens between these simulated times; either may be left out");
  add("trace-last", po::value<std::string>()->value_name("TIME"),
      "only so much before the end of the trace");
  add("trace-until-drop", po::bool_switch(),
      "the trace ends when an adapter loses the first frame");
  add("trace-limit", po::value<std::string>()->value_name("N"),
      "so many events at most (default 2000000, 56 bytes each): with --trace-last the latest, else "
      "the first");
  add("quiet", po::bool_switch(), "no summary and no progress line");
}

po::options_description described() {
  po::options_description all("Options");
  describe_run(all);
  auto add = all.add_options();
  add("config", po::value<std::string>()->value_name("FILE"),
      "read options from an INI file with the same names: lines such as app=reflect");
  add("version", "print the version");
  add("help,h", "print this text");
  return all;
}

AppChoice parse_app(const std::string& text) {
  const auto found = std::find(kAppNames.begin(), kAppNames.end(), text);
  if (found != kAppNames.end()) return static_cast<AppChoice>(found - kAppNames.begin());
  std::string known;
  for (const std::string_view name : kAppNames)
    known.append(known.empty() ? "" : ", ").append(name);
  fail("app", "unknown application '" + text + "'; known are " + known);
}

using Texts = std::vector<std::string>;

void fill_board(const po::variables_map& values, BoardConfig& board) {
  const auto given = [&](const char* name, const std::function<void(const std::string&)>& use) {
    if (values.count(name) == 0) return;
    const std::string& text = values[name].as<std::string>();
    in_option(name, [&] {
      use(text);
      return 0;
    });
  };
  if (values.count("app") != 0) board.app = parse_app(values["app"].as<std::string>());
  given("driver", [&](const std::string& t) { board.driver = parse_driver(t); });
  given("pci", [&](const std::string& t) { board.pci = t; });
  given("host", [&](const std::string& t) {
    pci::parse_host(t, {});
    board.host = t;
  });
  if (values.count("vfio-user") != 0) board.quantum = kDoorQuantum;
  given("quantum", [&](const std::string& t) {
    board.quantum = traffic::parse_time(t);
    if (board.quantum > kMostQuantum) throw std::invalid_argument(t + ": expected 1s at most");
  });
  given("duration", [&](const std::string& t) { board.duration = traffic::parse_time(t); });
  if (values.count("qtest") != 0) board.ram_bytes = kClientRam;
  given("ram", [&](const std::string& t) { board.ram_bytes = traffic::parse_size(t); });
  given("control", [&](const std::string& t) { board.control = t; });
  given("qtest", [&](const std::string& t) { board.qtest = t; });
  given("pace", [&](const std::string& t) {
    std::size_t used = 0;
    double factor = 0;
    try {
      factor = std::stod(t, &used);
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || used != t.size() || !(factor >= 0.001 && factor <= 1000)) {
      throw std::invalid_argument(t + ": expected a factor from 0.001 to 1000");
    }
    board.pace = factor;
    board.paced = true;
  });
  given("size", [&](const std::string& t) {
    traffic::SizeMix::parse(t);
    board.sizes = t;
  });
  given("rate", [&](const std::string& t) {
    traffic::parse_rate(t);
    board.rate = t;
  });
  given("max-frame", [&](const std::string& t) {
    const std::uint64_t bytes = traffic::parse_size(t);
    if (bytes < 1522 || bytes > 16114) throw std::invalid_argument("expected 1522 to 16114");
    board.max_frame_bytes = static_cast<std::uint32_t>(bytes);
  });
  if (values.count("seed") != 0)
    board.seed = parse_number("seed", values["seed"].as<std::string>());
  given("to", [&](const std::string& t) {
    const bool word = t == "next" || t == "pair" || t == "first";
    if (!word && board.app != AppChoice::kPing) e1000::parse_mac(t);
    board.to = t;
  });
  given("boards", [&](const std::string& t) {
    board.boards = static_cast<unsigned>(in_range(t, parse_number("boards", t), 1, kMostBoards));
  });
  if (values.count("frames") != 0) {
    board.frames = parse_number("frames", values["frames"].as<std::string>());
  }
  board.paced = board.paced || values["paced"].as<bool>();
  if (values.count("vfio-user") != 0) {
    for (const std::string& text : values["vfio-user"].as<Texts>()) {
      board.vfio_user.push_back(in_option("vfio-user", [&] { return parse_vfio_user(text); }));
    }
  }
  if (values.count("uml") != 0) {
    for (const std::string& text : values["uml"].as<Texts>()) {
      board.uml.push_back(in_option("uml", [&] { return parse_uml(text); }));
    }
  }
  board.strict = values["strict"].as<bool>();
  fill_switches(values, board);
  Texts links;
  if (values.count("link") != 0) links = values["link"].as<Texts>();
  std::vector<NicConfig> nics;
  if (values.count("nic") != 0) {
    for (const std::string& text : values["nic"].as<Texts>()) {
      nics.push_back(in_option("nic", [&] { return parse_nic(text); }));
    }
  }
  fill_adapters(board, std::move(nics), std::move(links));
}

/// Without a limit a run goes on until the last frame has been sent.
void check_rate(const BoardConfig& board) {
  constexpr double kSeconds = 100.0 * 24 * 3600;  // what simulated time holds
  constexpr double kShortestFrameBits = (64 + 20) * 8;
  const traffic::Rate rate = traffic::parse_rate(board.rate);
  if (rate.kind == traffic::Rate::Kind::kLine) return;
  const double each = rate.kind == traffic::Rate::Kind::kBits ? kShortestFrameBits : 1;
  const double frames = static_cast<double>(board.frames) - 1;
  if (frames * each / static_cast<double>(rate.per_second) <= kSeconds) return;
  fail("rate", board.rate + ": " + std::to_string(board.frames) +
                   " frames take more than the 100 days that simulated time holds; say fewer "
                   "--frames, or a --duration");
}

void check_uml(const BoardConfig& board) {
  const bool travels = board.uml.front().travels;
  for (const UmlConfig& door : board.uml) {
    if (door.travels != travels) fail("uml", "time=wall is for all guests or for none");
  }
  if (!board.vfio_user.empty()) fail("uml", "does not go with --vfio-user: one door for all");
  if (travels && !board.control.empty()) {
    fail("control", "does not go with --uml: the guests own the time; time=wall frees it");
  }
}

void check_combinations(const po::variables_map& values, BoardConfig& board) {
  if (board.ram_bytes < kLeastRam || board.ram_bytes > kMostRam) {
    fail("ram", std::to_string(board.ram_bytes) + " bytes: expected 4MiB to 3GiB");
  }
  if (board.duration && *board.duration == kTimeZero) fail("duration", "must be longer than 0");
  const bool generates = board.app == AppChoice::kGenerate || board.app == AppChoice::kBlast;
  for (const char* name : {"frames", "size", "to"}) {
    const bool pings = board.app == AppChoice::kPing && std::string(name) != "size";
    if (values.count(name) != 0 && !generates && !pings) {
      fail(name, "only goes with --app generate or --app blast");
    }
  }
  if (values.count("rate") != 0 && board.app != AppChoice::kGenerate) {
    fail("rate", "only goes with --app generate");
  }
  if (generates && values.count("frames") == 0 && !board.duration) board.frames = kDefaultFrames;
  if (board.app == AppChoice::kPing && values.count("frames") == 0) board.frames = kDefaultPings;
  if (board.app == AppChoice::kPing && board.frames == 0) fail("frames", "ping needs at least 1");
  if (generates && board.frames == 0 && !board.duration) {
    fail("frames", "0 (endless) needs a --duration");
  }
  if (board.app == AppChoice::kGenerate && !board.duration) check_rate(board);
  if (board.boards > 1) {
    if (!board.qtest.empty()) fail("boards", "does not go with --qtest: a client drives one");
    for (const NicConfig& nic : board.nics) {
      if (nic.mac) fail("nic", "mac= with --boards: all boards would have the same address");
      if (!nic.eeprom_file.empty()) fail("nic", "eeprom= with --boards: all would share one file");
      if (!nic.flash_file.empty()) fail("nic", "flash= with --boards: all would share one file");
      if (!nic.led_file.empty()) fail("nic", "leds= with --boards: all would share one file");
    }
  }
  if (board.has_guests()) {
    const std::string door = board.uml.empty() ? "--vfio-user" : "--uml";
    if (board.boards > 1) fail("boards", "does not go with " + door + ": give --nic several times");
    for (const char* name : {"app", "driver", "ram", "qtest", "max-frame"}) {
      if (values.count(name) == 0) continue;
      fail(name, "does not go with " + door + ": the virtual machine has its own");
    }
    for (std::size_t i = 0; i < board.links.size() && values.count("link") == 0; ++i) {
      board.links[i] = "null";
    }
  }
  if (!board.uml.empty()) check_uml(board);
  if (!board.qtest.empty()) {
    for (const char* name : {"app", "duration"}) {
      if (values.count(name) != 0) fail(name, "does not go with --qtest: the client drives");
    }
    if (!board.control.empty()) {
      fail(
          "control",
          "does not go with --qtest: between its client's commands the simulator stands still, and "
          "can carry out nothing else; use qtest's own commands");
    }
    if (board.paced) fail("paced", "does not go with --qtest: the client owns the time");
    if (board.qtest == "stdio" && values.count("json") != 0 &&
        values["json"].as<std::string>() == "-") {
      fail("json", "- does not go with --qtest stdio: the client reads standard output");
    }
  }
}

void fill_observation(const po::variables_map& values, trace::Settings& observe) {
  const auto text = [&](const char* name) {
    return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
  };
  for (const char* name : {"trace", "report", "waves"}) {
    if (values.count(name) == 0) continue;
    if (text(name).empty() || text(name) == "-") fail(name, "expected the name of a file");
  }
  observe.trace = text("trace");
  observe.report = text("report");
  observe.waves = text("waves");
  if (values.count("trace-filter") != 0 && observe.trace.empty()) {
    fail("trace-filter", "only goes with --trace");
  }
  const bool kept = !observe.trace.empty() || !observe.waves.empty();
  for (const char* name : {"trace-window", "trace-last", "trace-limit"}) {
    if (values.count(name) != 0 && !kept) fail(name, "only goes with --trace or --waves");
  }
  trace::Keep& keep = observe.keep;
  keep.until_drop = values["trace-until-drop"].as<bool>();
  if (keep.until_drop && !kept) {
    fail("trace-until-drop", "only goes with --trace or --waves");
  }
  in_option("trace-filter", [&] {
    if (values.count("trace-filter") != 0) keep.filter = trace::Filter::parse(text("trace-filter"));
    return 0;
  });
  in_option("trace-window", [&] {
    if (values.count("trace-window") != 0) trace::parse_window(text("trace-window"), keep);
    return 0;
  });
  in_option("trace-last", [&] {
    if (values.count("trace-last") != 0) keep.last = traffic::parse_time(text("trace-last"));
    return 0;
  });
  if (values.count("trace-limit") != 0) {
    const std::string limit = text("trace-limit");
    keep.most = in_option("trace-limit", [&] {
      return in_range(limit, parse_number("trace-limit", limit), 1, kMostEvents);
    });
  }
}

}  // namespace

namespace {

/// "--link help" asks for all kinds, "--link KIND:help" for one.
std::optional<std::string> wanted_link_help(const po::variables_map& values) {
  const std::string tail = ":help";
  if (values.count("link") == 0) return std::nullopt;
  for (const std::string& text : values["link"].as<Texts>()) {
    if (text == "help") return "";
    if (text.size() > tail.size() &&
        text.compare(text.size() - tail.size(), tail.size(), tail) == 0 &&
        text.find(':') == text.size() - tail.size()) {
      return text.substr(0, text.size() - tail.size());
    }
  }
  return std::nullopt;
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  po::options_description in_file;
  describe_run(in_file);
  const po::variables_map values = read_sources(argc, argv, described(), in_file);
  Options options;
  if (values.count("help") != 0) {
    options.action = Options::Action::kHelp;
    return options;
  }
  if (values.count("version") != 0) {
    options.action = Options::Action::kVersion;
    return options;
  }
  if (const auto kind = wanted_link_help(values)) {
    options.action = Options::Action::kLinkHelp;
    options.kind = *kind;
    return options;
  }
  fill_board(values, options.board);
  check_combinations(values, options.board);
  if (values.count("json") != 0) options.json = values["json"].as<std::string>();
  options.quiet = values["quiet"].as<bool>();
  fill_observation(values, options.observe);
  options.observe.command = trace::shell_command(argc, argv);
  return options;
}

std::string link_list(const std::map<std::string, std::string>& link_kinds) {
  std::ostringstream out;
  for (const auto& [kind, text] : link_kinds) {
    out << "  " << kind << std::string(kind.size() < 10 ? 10 - kind.size() : 1, ' ') << text
        << "\n";
  }
  return out.str();
}

std::string help_text(const std::map<std::string, std::string>& link_kinds) {
  std::ostringstream out;
  out << R"(e1000-sim: a PC board with Intel 8254x gigabit Ethernet adapters, modelled in SystemC.

A driver on the board brings the adapters up as a real one does and then runs an application; each
adapter's cable leads to a link: a capture file, a tap device, a socket, another program.

Examples
  e1000-sim                                        replay a built-in capture and reflect it
  e1000-sim --link pcap:in=a.pcap,out=b.pcapng     your own, recording both directions
  e1000-sim --app generate --size 64 --rate 1Mfps --frames 50000 --json -
  e1000-sim --nic part=82545em --pci 64/66 --app generate --size 1518
  e1000-sim --nic model=virtio-net,queues=4        a virtio device instead of an e1000 (doc/virtio.md)
  e1000-sim --app forward --link tap:ifname=tap0 --link tap:ifname=tap1
  e1000-sim --app ping --link user                 DHCP and ping through a network in user space
  e1000-sim --boards 64 --app generate --link switch:lan    64 boards on one switch
  e1000-sim --link switch:lan --on-switch lan=tap:ifname=tap0 --on-switch lan=pcap:out=lan.pcapng
  e1000-sim --report run.html --trace run.json     see what happened, and why
  e1000-sim report a.json b.json -o cmp.html       compare what --json wrote of several runs
  e1000-sim --qtest unix:/tmp/e1000.sock           let a program drive the board
  e1000-sim --vfio-user unix:/tmp/nic.sock --link tap:ifname=tap0
                                                   give the adapter to a virtual machine (doc/vm.md)
  e1000-sim --uml unix:/tmp/nic --nic part=82545gm --link user
                                                   ... to User-Mode Linux, in simulated time (doc/linux.md)

)" << described()
      << R"(
Links (KIND:key=value,key=value; a comma inside a value is written twice; --link KIND:help tells all)
)" << link_list(link_kinds);
  out << R"(  every kind takes speed=10|100|1000, aneg=on|off and pause=none|rx|tx|both (what it advertises
  of PAUSE, and obeys if the NIC does so, too; default none)
  switch:NAME leads to the learning switch NAME; all that do so meet there
  hub:NAME leads to the hub (repeater) NAME, which sends every frame to all others
  pcap with in=built-in (or neither in= nor out=) replays the built-in capture of 340 frames;
  with out= alone it only records; out=- writes the capture to standard output and the summary
  to standard error; in=- and named pipes may still be written while they are replayed

Units
  times  10us, 1.5ms, 2s       sizes  1500, 64k, 64MiB       rates  1Gbit/s, 10kfps, line

Exit status
  0    fine
  1    the run failed: frames were lost or damaged that should not have been (with --strict: any
       were lost), a link went away for good, or something could not be written. Messages say what
  2    nothing was run: an option is wrong, or a file, device or socket cannot be used. Files are as
       they were
  129, 130, 143   SIGHUP, SIGINT (Ctrl-C), SIGTERM ended the run before its end. The report and all
       files are written all the same. Runs that have no end of their own are meant to be stopped:
       then it is 0 or 1. Such are runs that just answer live links (sink, reflect, forward with
       tap, stream and the like) without --duration, and --qtest and --vfio-user servers
)";
  return out.str();
}

}  // namespace e1000tlm::platform
