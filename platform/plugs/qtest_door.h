#pragma once
/// Lets a program that speaks QEMU's qtest protocol drive the board.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/plugs/qtest_backend.h"
#include "e1000tlm/plugs/qtest_protocol.h"
#include "e1000tlm/plugs/stream_endpoint.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::plugs {

struct QTestConfig {
  /// See StreamAddress; its "keep" is taken from below.
  std::string address;
  /// Wait for the next client when one has gone. Otherwise, or where no other can come, the
  /// simulation ends with its client: the first that has sent anything (others only looked whether
  /// somebody listens).
  bool keep = false;
  /// Let devices finish their work within each command; see below.
  bool settle = true;
  /// Most simulated time that the work of one command gets.
  Time settle_limit = ms(100);
  /// How long an answer waits for a host that does not take its frames.
  std::chrono::milliseconds flush_limit{250};
  /// A client that takes no answers for so long loses its place to the next one, if any waits.
  std::chrono::milliseconds stall_limit{2000};
};

/// A qtest server. Commands run on the simulation's thread; between them simulated time stands
/// still: the door's process blocks on its socket.
///
/// Time. In QEMU a device moves its data in no time, within the register write that starts it; only
/// timers take (virtual) time, which moves by clock_step and clock_set alone. Here data takes its
/// time. So that clients written for QEMU find things done, the door lets simulated time run on
/// after each command until the devices are idle (QTestBackend::busy), for settle_limit at most. It
/// keeps a clock of its own for the client: simulated time is *ahead* of it by what work has used
/// up, and the next steps of the clock use that lead up before they let more time pass. So the
/// clock never runs ahead of simulated time, and is equal to it after every step that is longer
/// than the lead. Timers run on simulated time: a timer expires, on the client's clock, at most the
/// lead early.
///
/// Order. Before each command, and during clock_step, frames are taken from hosts; after it, in
/// this order: work is finished, frames are handed over to hosts, changes of interrupt lines are
/// reported, the answer is sent. If a host does not take its frames within flush_limit the answer
/// goes out all the same, and the frames follow, in order, as the host makes room.
///
/// Clients. One at a time; the machine is for each as the one before left it, but interception of
/// interrupts ends with the client. Nothing that a client sends ends the simulation, and what it
/// can make the door hold is bounded: one line (kQTestMaxLine), its data and its answer. A client
/// that does not take its answers is not read from either; should another one wait, it is dropped
/// with a warning. A clock_step runs to its end even if the client goes meanwhile.
///
/// Interrupts. IRQ lines are those of the interrupt controller; they are written when the level of
/// an intercepted input changes, before the answer to the command in which that happens. As in
/// QEMU one device can be intercepted at a time, intercepting its outputs (it has none) counts, and
/// levels are 0 for a client until it sees them change.
class QTestDoor : public sc_core::sc_module {
 public:
  /// Listens (or connects) at once: construct it last, when all host sockets are bound. Throws
  /// std::invalid_argument or std::runtime_error naming the address and the reason.
  QTestDoor(const sc_core::sc_module_name& name, QTestBackend& backend, QTestConfig config);
  ~QTestDoor() override;

  /// Ends the simulation as soon as possible. Safe in any thread and in signal handlers.
  void stop() const noexcept { stop_.set(); }

  /// The client's clock.
  Time clock() const { return clock_; }
  /// Commands answered so far.
  std::uint64_t commands() const { return commands_; }

 private:
  static constexpr unsigned kIrqLines = 256;

  void run();
  void serve();
  bool receive();
  void send();
  bool wait_for_room();
  bool stopping() const;

  void handle(const QTestLines::Line& line);
  std::string execute(const QTestCommand& command);
  std::string read(const QTestCommand& command);
  std::string write(const QTestCommand& command);
  std::string read_block(const QTestCommand& command);
  std::optional<QTestDevice> find_device(const std::string& name) const;
  std::string intercept(const QTestCommand& command);
  std::string set_irq(const QTestCommand& command);
  std::string step_clock(const QTestCommand& command);
  std::string set_clock(const QTestCommand& command);

  void finish_deltas();
  void settle();
  bool advance_clock(Time target);
  void irq_changed(unsigned line, int level);

  QTestBackend& backend_;
  QTestConfig config_;
  link::WakeUp stop_;
  StreamEndpoint endpoint_;
  StreamConnection client_;
  QTestLines lines_;
  std::string output_;
  std::vector<char> input_;
  Time clock_ = kTimeZero;
  std::uint64_t commands_ = 0;
  bool heard_ = false;       // a client has sent something
  bool hosts_clear_ = true;  // no frames wait for room
  std::string intercepted_;  // path of the device; empty: none
  bool reports_irqs_ = false;
  std::array<int, kIrqLines> levels_{};  // as the client knows them
};

}  // namespace e1000tlm::plugs
