#include "testbenches/bench/bench_child.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>

#include <sys/wait.h>
#include <unistd.h>

#include "models/link/hold_queue.h"
#include "models/link/partner.h"
#include "models/tlm/sc_time.h"
#include "platform/board/board.h"

namespace e1000tlm::bench {
namespace {

constexpr std::size_t kAhead = 16;  // frames a source gives at a time

/// Sends `frames` equal frames back to back once the receiver is ready.
class BackToBack : public link::LinkPartner, public link::FrameSource {
 public:
  BackToBack(const link::PartnerContext& context, link::CableEndIf& end,
             const link::PartnerSpec& spec)
      : LinkPartner(context.name.c_str(), end, spec),
        left_(spec.number("frames", 1, 1, ~std::uint64_t{0})),
        size_(spec.number("size", 64, 64, 9018)),
        gap_(spec.number("gap", link::kInterFrameGapBytes, link::kInterFrameGapBytes, 100'000)),
        gate_(*this, end) {
    const std::vector<std::uint8_t> content(size_ - link::kFcsBytes, 0x5A);
    frame_ = link::FramePool::shared().copy({content.data(), content.size()});
    for (std::size_t i = 0; i < 6; ++i) frame_->data()[i] = 0xFF;
  }
  void refill(Time now) override {
    for (std::size_t i = 0; i < kAhead && left_ != 0; ++i, --left_) {
      link::FramePtr frame = link::FramePool::shared().copy(frame_->bytes());
      count_to_nic(*frame);
      end_.send(std::move(frame), now, gap_);
    }
  }
  bool exhausted() const override { return left_ == 0; }

 private:
  class Gate : public link::ReadyGate {
   public:
    Gate(BackToBack& owner, link::CableEndIf& end)
        : ReadyGate("gate", end, us(10)), owner_(owner) {}

   private:
    void opened() override { owner_.start(); }
    BackToBack& owner_;
  };

  void start() {
    end_.set_source(this);
    refill(sc_now());
  }
  std::uint64_t left_;
  std::size_t size_;
  std::size_t gap_;
  Gate gate_;
  link::FramePtr frame_;
};

/// Sends every frame back to the station it came from.
class Mirror : public link::LinkPartner, private link::FrameSink {
 public:
  Mirror(const link::PartnerContext& context, link::CableEndIf& end, const link::PartnerSpec& spec)
      : LinkPartner(context.name.c_str(), end, spec) {
    end.set_sink(this);
  }

 private:
  void receive(link::Arrival arrival) override {
    count_from_nic(*arrival.frame);
    std::uint8_t* data = arrival.frame->data();  // nobody else looks at a frame for one station
    std::swap_ranges(data, data + 6, data + 6);
    count_to_nic(*arrival.frame);
    end_.send(std::move(arrival.frame), arrival.last_bit);
  }
};

void register_mirror() {
  link::PartnerRegistry::instance().add(
      "mirror", {"sends frames back to their senders",
                 {},
                 [](const link::PartnerContext& context, link::CableEndIf& end,
                    const link::PartnerSpec& spec) -> std::unique_ptr<link::LinkPartner> {
                   return std::make_unique<Mirror>(context, end, spec);
                 }});
}

void register_source() {
  link::PartnerRegistry::instance().add(
      "source", {"equal frames at equal distances",
                 {"frames", "size", "gap"},
                 [](const link::PartnerContext& context, link::CableEndIf& end,
                    const link::PartnerSpec& spec) -> std::unique_ptr<link::LinkPartner> {
                   return std::make_unique<BackToBack>(context, end, spec);
                 }});
}

platform::BoardConfig configure(const Case& c) {
  platform::BoardConfig config;
  config.pci = "64/66";
  config.nics.front().part = e1000::Part::k82545em;
  config.quantum = c.loosely_timed ? us(100) : kTimeZero;
  config.sizes = std::to_string(c.size);
  config.rate = "line";
  config.max_frame_bytes = std::max(1522U, c.size);
  const std::string source =
      "source:frames=" + std::to_string(c.count) + ",size=" + std::to_string(c.size);
  switch (c.kind) {
    case Case::Kind::kTransmit:
      config.app = platform::AppChoice::kGenerate;
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
      // One bus does not carry small frames at line rate in and out.
      config.links = {source + ",gap=" + std::to_string(12 + 4 * c.size), "null"};
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
  }
  return config;
}

/// Reads STATUS over and over, through host bridge and bus.
class RegisterReader : public sc_core::sc_module {
 public:
  RegisterReader(const sc_core::sc_module_name& name, BusMasterPort& port, std::uint64_t count)
      : sc_module(name), master_(port), count_(count) {
    SC_HAS_PROCESS(RegisterReader);
    SC_THREAD(run);
  }
  double seconds = 0;

 private:
  void run() {
    master_.time().start();
    master_.time().advance_to(us(900));  // the driver has assigned addresses by then
    master_.time().sync();
    std::array<std::uint8_t, 4> value{};
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < count_; ++i) master_.read(0xE0000008, value);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    sc_core::sc_stop();
  }
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
  }
  return 0;
}

/// Looks when the wall clock says the drivers have brought everything up: bringing up 64 boards
/// takes its time.
class StartWatch : public sc_core::sc_module {
 public:
  StartWatch(const sc_core::sc_module_name& name, const platform::Board& board)
      : sc_module(name), board_(board) {
    SC_HAS_PROCESS(StartWatch);
    SC_THREAD(run);
  }
  std::chrono::steady_clock::time_point started;

 private:
  void run() {
    const auto& last = *board_.machines().back();  // all boards are equal
    while (!last.driver()->ready()) wait(to_sc(us(20)));
    started = std::chrono::steady_clock::now();
  }
  const platform::Board& board_;
};

Measured run(const Case& c) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  link::register_builtin_partners();
  register_source();
  register_mirror();
  platform::Board board("board", configure(c));
  std::unique_ptr<RegisterReader> reader;
  if (c.kind == Case::Kind::kRegisterRead) {
    reader = std::make_unique<RegisterReader>("reader", board.cpu()->mem, c.count);
  }
  std::unique_ptr<StartWatch> watch;
  if (c.kind == Case::Kind::kSwitch) watch = std::make_unique<StartWatch>("watch", board);
  auto start = std::chrono::steady_clock::now();
  board.run();
  if (watch != nullptr) start = watch->started;
  Measured m;
  m.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (reader != nullptr) m.wall_seconds = reader->seconds;
  m.simulated_seconds = sc_core::sc_time_stamp().to_seconds();
  m.count = delivered(board, c);
  return m;
}

}  // namespace

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
  waitpid(child, &status, 0);
  if (!complete || status != 0) throw std::runtime_error("the measured run failed");
  return m;
}

}  // namespace e1000tlm::bench
