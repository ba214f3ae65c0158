#include "e1000tlm/plugs/qtest_door.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <poll.h>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::plugs {
namespace {

using Kind = QTestCommand::Kind;
using std::chrono::milliseconds;

constexpr std::size_t kInputBytes = 65536;
// How often hosts are asked for frames while the clock steps, where anything happens at all.
constexpr Time kHostPoll = ms(1);
// The end of a frame on the wire is no event: work is looked for this often where the next event is
// further away, so that settling does not run into a timer.
constexpr Time kSettlePoll = us(1);
constexpr int kRetryMilliseconds = 2;
// A model that never comes to rest at one time must not keep the client waiting for ever.
constexpr unsigned kMaxDeltas = 100'000;
// Leaves models room to add their longest timers to the present time.
constexpr Time kLastTime = kTimeNever / 2;
constexpr std::string_view kStuck = "could not advance time";

/// Simulated time of the next event; kTimeNever: none.
Time next_activity() {
  if (!sc_core::sc_pending_activity()) return kTimeNever;
  const Time now = sc_now();
  const Time span = from_sc(sc_core::sc_time_to_pending_activity());
  return span > kTimeNever - now ? kTimeNever : now + span;
}

Time round_up_to_ns(Time t) { return ns((t.count() + 999) / 1000); }

}  // namespace

QTestDoor::QTestDoor(const sc_core::sc_module_name& name, QTestBackend& backend, QTestConfig config)
    : sc_module(name),
      backend_(backend),
      config_(std::move(config)),
      endpoint_(config_.address),
      input_(kInputBytes) {
  backend_.on_irq([this](unsigned line, bool level) { irq_changed(line, level); });
  SC_HAS_PROCESS(QTestDoor);
  SC_THREAD(run);
}

QTestDoor::~QTestDoor() = default;

// --- connection ---

void QTestDoor::run() {
  finish_deltas();
  do {
    client_ = endpoint_.accept(stop_.fd());
    if (!client_) break;
    serve();
    client_.reset();
  } while ((config_.keep || !heard_) && !stopping());
  sc_core::sc_stop();
}

void QTestDoor::serve() {
  lines_ = QTestLines();
  output_.clear();
  intercepted_.clear();
  reports_irqs_ = false;
  levels_.fill(0);
  while (client_ && receive()) {
    while (auto line = lines_.next()) {
      handle(*line);
      if (!client_ || stopping()) return;
    }
  }
}

bool QTestDoor::stopping() const {
  pollfd fd{stop_.fd(), POLLIN, 0};
  return ::poll(&fd, 1, 0) > 0;
}

/// Waits for input. False: the client has gone, or the simulation is to stop.
bool QTestDoor::receive() {
  for (;;) {
    std::array<pollfd, 2> fds{{{stop_.fd(), POLLIN, 0}, {client_.in(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), hosts_clear_ ? -1 : kRetryMilliseconds);
    if (!hosts_clear_) hosts_clear_ = backend_.flush_hosts(milliseconds(0));
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    if (fds[0].revents != 0) return false;
    const ssize_t bytes = client_.read(input_.data(), input_.size());
    if (bytes > 0) {
      heard_ = true;
      lines_.append({input_.data(), static_cast<std::size_t>(bytes)});
      return true;
    }
    if (bytes == 0 || (errno != EAGAIN && errno != EINTR)) return false;
  }
}

/// Sends the output. A client that does not read it only stops itself.
void QTestDoor::send() {
  std::size_t sent = 0;
  while (client_ && sent < output_.size()) {
    const ssize_t bytes = client_.write(std::string_view(output_).substr(sent));
    if (bytes >= 0) {
      sent += static_cast<std::size_t>(bytes);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) client_.reset();
    if (client_ && !wait_for_room()) break;
  }
  output_.clear();
  if (output_.capacity() > kInputBytes) output_.shrink_to_fit();
}

/// False: the simulation is to stop, or the client has lost its place.
bool QTestDoor::wait_for_room() {
  // An endpoint that does not listen has a negative descriptor, which poll() passes over.
  std::array<pollfd, 3> fds{
      {{stop_.fd(), POLLIN, 0}, {client_.out(), POLLOUT, 0}, {endpoint_.listener(), POLLIN, 0}}};
  const int patient = ::poll(fds.data(), 2, static_cast<int>(config_.stall_limit.count()));
  if (patient == 0) ::poll(fds.data(), fds.size(), -1);
  if (fds[0].revents != 0) return false;
  if (fds[1].revents != 0 || fds[2].revents == 0) return true;
  client_.reset();
  SC_REPORT_WARNING("/e1000tlm/plugs/qtest",
                    "a client that takes no answers was dropped: another one waits");
  return false;
}

// --- commands ---

void QTestDoor::handle(const QTestLines::Line& line) {
  std::string answer;
  if (line.too_long) {
    answer = qtest_fail("Line is too long");
  } else {
    QTestParsed parsed = parse_qtest(line.text);
    if (const auto* command = std::get_if<QTestCommand>(&parsed)) {
      if (backend_.poll_hosts() > 0) settle();
      answer = execute(*command);
      settle();
      hosts_clear_ = backend_.flush_hosts(hosts_clear_ ? config_.flush_limit : milliseconds(0));
    } else {
      answer = std::get<std::string>(std::move(parsed));
    }
  }
  output_ += answer;
  ++commands_;
  send();
}

std::string QTestDoor::execute(const QTestCommand& command) {
  switch (command.kind) {
    case Kind::kRead:
    case Kind::kIn: return read(command);
    case Kind::kWrite:
    case Kind::kOut: return write(command);
    case Kind::kReadHex:
    case Kind::kReadBase64: return read_block(command);
    case Kind::kWriteBlock:
      if (!command.data.empty()) backend_.mem_write(command.address, command.data);
      return qtest_ok();
    case Kind::kEndianness: return "OK little\n";
    case Kind::kClockStep: return step_clock(command);
    case Kind::kClockSet: return set_clock(command);
    case Kind::kInterceptIn:
    case Kind::kInterceptOut: return intercept(command);
    case Kind::kSetIrq: return set_irq(command);
  }
  return qtest_fail("Unknown command");
}

std::string QTestDoor::read(const QTestCommand& command) {
  if (command.kind == Kind::kIn) {
    std::uint32_t value = 0;
    const std::uint32_t ones = command.width == 4 ? ~0U : (1U << (8 * command.width)) - 1;
    const auto port = static_cast<std::uint16_t>(command.address);
    if (!backend_.io_read(port, command.width, value)) value = ones;
    return qtest_port(value & ones);
  }
  std::array<std::uint8_t, 8> bytes{};
  std::fill_n(bytes.begin(), command.width, std::uint8_t{0xff});
  backend_.mem_read(command.address, {bytes.data(), command.width});
  return qtest_value(load_le64(bytes.data()));
}

std::string QTestDoor::write(const QTestCommand& command) {
  if (command.kind == Kind::kOut) {
    backend_.io_write(static_cast<std::uint16_t>(command.address), command.width,
                      static_cast<std::uint32_t>(command.value));
    return qtest_ok();
  }
  std::array<std::uint8_t, 8> bytes{};
  store_le64(bytes.data(), command.value);
  backend_.mem_write(command.address, {bytes.data(), command.width});
  return qtest_ok();
}

std::string QTestDoor::read_block(const QTestCommand& command) {
  std::vector<std::uint8_t> data(command.size, 0xff);
  if (!data.empty()) backend_.mem_read(command.address, data);
  return command.kind == Kind::kReadHex ? qtest_hex(data) : qtest_base64(data);
}

std::optional<QTestDevice> QTestDoor::find_device(const std::string& name) const {
  const std::vector<QTestDevice> devices = backend_.devices();
  const auto it = std::find_if(devices.begin(), devices.end(), [&](const QTestDevice& device) {
    return names_device(name, device.path);
  });
  return it == devices.end() ? std::nullopt : std::optional(*it);
}

std::string QTestDoor::intercept(const QTestCommand& command) {
  const auto device = find_device(command.device);
  if (!device) return qtest_fail("Unknown device");
  const bool inputs = command.kind == Kind::kInterceptIn;
  if (inputs && command.pins) {
    return qtest_fail("Interception of named in-GPIOs not yet supported");
  }
  if (!intercepted_.empty()) {
    return intercepted_ == device->path ? qtest_ok() : qtest_fail("IRQ intercept already enabled");
  }
  // A device with inputs has an empty list of outputs of the same name, that is, none.
  if (device->inputs == 0 || command.pins) return qtest_fail("No intercepts installed");
  intercepted_ = device->path;
  reports_irqs_ = inputs;
  return qtest_ok();
}

std::string QTestDoor::set_irq(const QTestCommand& command) {
  const auto device = find_device(command.device);
  if (!device) return qtest_fail("Unknown device");
  if (command.pins || command.pin < 0 || static_cast<unsigned>(command.pin) >= device->inputs) {
    return qtest_fail("No such input");
  }
  irq_changed(static_cast<unsigned>(command.pin), command.level);
  return qtest_ok();
}

void QTestDoor::irq_changed(unsigned line, int level) {
  if (!client_ || !reports_irqs_ || line >= kIrqLines) return;
  if (std::exchange(levels_[line], level) != level) output_ += qtest_irq(line, level != 0);
}

// --- time ---

std::string QTestDoor::step_clock(const QTestCommand& command) {
  Time target = kTimeZero;
  if (command.nanoseconds) {
    constexpr std::int64_t kMost = kLastTime.count() / 1000;
    if (*command.nanoseconds <= 0 || *command.nanoseconds > kMost) return qtest_fail(kStuck);
    target = clock_ + ns(*command.nanoseconds);
  } else {
    const Time next = next_activity();
    if (next == kTimeNever) {
      return qtest_fail(
          "cannot advance clock to the next deadline because there is no pending deadline");
    }
    target = next > kLastTime ? next : round_up_to_ns(next);
  }
  if (target <= clock_ || !advance_clock(target)) return qtest_fail(kStuck);
  return qtest_clock(clock_.count() / 1000);
}

std::string QTestDoor::set_clock(const QTestCommand& command) {
  const std::int64_t wanted = *command.nanoseconds;
  const bool possible = wanted >= 0 && wanted <= kLastTime.count() / 1000;
  const bool reached =
      possible && (ns(wanted) == clock_ || (ns(wanted) > clock_ && advance_clock(ns(wanted))));
  return (reached ? "OK " : "FAIL ") + std::to_string(clock_.count() / 1000) + '\n';
}

/// Steps the client's clock to `target`, and simulated time where it is behind that. False: it does
/// not go that far, or the simulation is to stop.
bool QTestDoor::advance_clock(Time target) {
  if (target > kLastTime) return false;
  for (Time now = sc_now(); now < target; now = sc_now()) {
    backend_.poll_hosts();
    // Where nothing happens there is nobody to give frames to either.
    const Time stop = std::min(target, std::max(now + kHostPoll, next_activity()));
    wait(to_sc(stop - now));
    finish_deltas();
    if (stopping()) return false;
  }
  clock_ = target;
  return true;
}

void QTestDoor::finish_deltas() {
  unsigned deltas = 0;
  do {
    wait(sc_core::SC_ZERO_TIME);
  } while (sc_core::sc_pending_activity_at_current_time() && ++deltas < kMaxDeltas);
}

void QTestDoor::settle() {
  finish_deltas();
  if (!config_.settle) return;
  const Time end = sc_now() + config_.settle_limit;
  while (backend_.busy()) {
    const Time next = next_activity();
    if (next > end || next == sc_now()) break;  // nothing happens in time, or nothing but deltas
    wait(to_sc(std::min(next - sc_now(), kSettlePoll)));
    finish_deltas();
  }
}

}  // namespace e1000tlm::plugs
