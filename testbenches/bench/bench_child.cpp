#include "testbenches/bench/bench_child.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "e1000tlm/board/board.h"
#include "e1000tlm/tlm/sc_time.h"
#include "testbenches/bench/bench_partners.h"

namespace e1000tlm::bench {
namespace {

/// Of this process, which has one thread: what the wall clock would show on a core of its own.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

constexpr Time kQuantum = us(250);

/// As Linux's dynamic moderation sets an adapter for bulk traffic of large, or of small frames.
driver::NicSettings driver_settings(const Case& c) {
  driver::NicSettings settings;
  const bool large = c.size >= 1024;
  settings.interrupt_rate = large ? 4000 : 8000;
  settings.rx_descriptors = settings.tx_descriptors = large ? 256 : 512;
  settings.tidv = 0;
  settings.strip_fcs = true;
  return settings;
}

/// Byte times between frames that two adapters on one bus can carry: in and out, 0.9 million frames
/// a second at most.
unsigned forward_gap(unsigned size) {
  constexpr unsigned kSlot = 139;
  const unsigned frame = static_cast<unsigned>(link::kPreambleBytes) + size;
  const auto least = static_cast<unsigned>(link::kInterFrameGapBytes);
  return frame + least < kSlot ? kSlot - frame : least;
}

/// As e1000-sim makes it of the options that are given.
platform::BoardConfig configure_default(const Case& c) {
  constexpr std::uint64_t kCapture = 340;  // frames of the built-in one
  platform::BoardConfig config;
  config.quantum = c.loosely_timed ? kQuantum : kTimeZero;
  config.sizes = std::to_string(c.size);
  config.max_frame_bytes = std::max(1522U, c.size);
  config.frames = c.count;
  switch (c.kind) {
    case Case::Kind::kDefaultGenerate:
      config.app = platform::AppChoice::kGenerate;
      config.links = {"loopback"};
      break;
    case Case::Kind::kDefaultBlast:
      config.app = platform::AppChoice::kBlast;
      config.links = {"null"};
      break;
    default:
      config.app = platform::AppChoice::kReflect;
      config.links = {"pcap:loop=" + std::to_string((c.count + kCapture - 1) / kCapture)};
      break;
  }
  return config;
}

platform::BoardConfig configure(const Case& c) {
  if (c.is_default()) return configure_default(c);
  platform::BoardConfig config;
  config.pci = "64/66";
  config.nics.front().part = e1000::Part::k82545em;
  config.quantum = c.loosely_timed ? kQuantum : kTimeZero;
  config.sizes = std::to_string(c.size);
  config.rate = "line";
  config.max_frame_bytes = std::max(1522U, c.size);
  config.driver = driver_settings(c);
  const std::string source =
      "source:frames=" + std::to_string(c.count) + ",size=" + std::to_string(c.size);
  switch (c.kind) {
    case Case::Kind::kTransmit:
      config.app = platform::AppChoice::kBlast;
      config.frames = c.count;
      config.links = {"null"};
      break;
    case Case::Kind::kReceive:
      config.app = platform::AppChoice::kSink;
      config.links = {source};
      break;
    case Case::Kind::kForward:
      config.app = platform::AppChoice::kForward;
      config.nics.resize(2, config.nics.front());
      config.links = {source + ",copies=1,gap=" + std::to_string(forward_gap(c.size)), "null"};
      break;
    case Case::Kind::kSwitch:
      config.app = platform::AppChoice::kGenerate;
      config.boards = c.nics;
      config.frames = c.count / c.nics;
      config.links = {"switch:lan"};
      if (c.nics == 1) {
        config.to = "02:00:00:00:00:01";
        config.outlets = {{"lan", "mirror"}};
      }
      break;
    case Case::Kind::kRegisterRead:
      config.app = platform::AppChoice::kSink;
      config.links = {"null"};
      config.duration = ms(100'000);  // the reader stops it
      break;
    default: break;
  }
  return config;
}

/// Reads STATUS over and over, through host bridge and bus, while the driver waits.
class RegisterReader : public sc_core::sc_module {
 public:
  RegisterReader(const sc_core::sc_module_name& name, const platform::Board& board,
                 BusMasterPort& port, std::uint64_t count)
      : sc_module(name), board_(board), master_(port), count_(count) {
    SC_HAS_PROCESS(RegisterReader);
    SC_THREAD(run);
  }
  double seconds = 0;

 private:
  void run() {
    while (!board_.machines().front()->driver()->ready()) wait(to_sc(us(20)));
    master_.time().start();
    std::array<std::uint8_t, 4> value{};
    const double start = cpu_seconds();
    for (std::uint64_t i = 0; i < count_; ++i) {
      master_.read(kStatus, value);
      // Else it would be a master abort that is measured.
      if ((value[0] & kLinkUp) == 0 || value[3] == 0xFF) {
        throw std::logic_error("there is no adapter at the address that is read");
      }
    }
    seconds = cpu_seconds() - start;
    sc_core::sc_stop();
  }
  static constexpr std::uint64_t kStatus = 0xF000'0008;  // of the first adapter the driver finds
  static constexpr std::uint8_t kLinkUp = 2;

  const platform::Board& board_;
  BusMaster master_;
  std::uint64_t count_;
};

/// Frames that came through: on the wire, or into the driver.
std::uint64_t delivered(const platform::Board& board, const Case& c) {
  const platform::RunSummary summary = board.summary();
  switch (c.kind) {
    case Case::Kind::kTransmit: return summary.nics[0].wire_out.frames;
    case Case::Kind::kReceive: return summary.nics[0].driver_in.frames;
    case Case::Kind::kForward: return summary.nics[1].wire_out.frames;
    case Case::Kind::kSwitch: {
      std::uint64_t frames = 0;
      for (const platform::StreamSummary& stream : summary.streams) frames += stream.received;
      return frames;
    }
    case Case::Kind::kRegisterRead: return c.count;
    case Case::Kind::kDefaultGenerate: return summary.streams[0].received;
    case Case::Kind::kDefaultBlast:
    case Case::Kind::kDefaultReflect: return summary.nics[0].wire_out.frames;
  }
  return 0;
}

/// Looks what the clock says when the drivers have brought everything up: bringing up 64 boards
/// takes its time.
class StartWatch : public sc_core::sc_module {
 public:
  StartWatch(const sc_core::sc_module_name& name, const platform::Board& board)
      : sc_module(name), board_(board) {
    SC_HAS_PROCESS(StartWatch);
    SC_THREAD(run);
  }
  double started = 0;

 private:
  void run() {
    const auto& last = *board_.machines().back();  // all boards are equal
    while (!last.driver()->ready()) wait(to_sc(us(20)));
    started = cpu_seconds();
  }
  const platform::Board& board_;
};

}  // namespace

Measured run(const Case& c) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  platform::Board board("board", configure(c), bench_partners());
  std::unique_ptr<RegisterReader> reader;
  if (c.kind == Case::Kind::kRegisterRead) {
    reader = std::make_unique<RegisterReader>("reader", board, board.cpu()->mem, c.count);
  }
  StartWatch watch("watch", board);
  board.run();
  Measured m;
  m.seconds = reader != nullptr ? reader->seconds : cpu_seconds() - watch.started;
  m.simulated_seconds = sc_core::sc_time_stamp().to_seconds();
  m.count = delivered(board, c);
  return m;
}

Measured measure(const Case& c) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("pipe failed");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    Measured m;
    try {
      m = run(c);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "benchmark run: %s\n", error.what());
      std::_Exit(1);
    }
    const bool written = write(ends[1], &m, sizeof m) == sizeof m;
    std::_Exit(written ? 0 : 1);
  }
  close(ends[1]);
  Measured m;
  const bool complete = read(ends[0], &m, sizeof m) == sizeof m;
  close(ends[0]);
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  m.peak_kib = usage.ru_maxrss;
  if (!complete || status != 0) throw std::runtime_error("the measured run failed");
  return m;
}

}  // namespace e1000tlm::bench
