/// The conductor's sockets.
#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/plugs/uml/conductor.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::plugs::uml {
namespace {

constexpr off_t kScheduleBytes = 4096;

}  // namespace

/// Guests want a memory file for another way of scheduling, and a log. With zeros in it, which is
/// no version of it, they keep to messages.
Conductor::Conductor(const sc_core::sc_module_name& name, const ConductorConfig& config)
    : sc_module(name),
      config_(config),
      no_schedule_(::memfd_create("e1000-tlm-time", MFD_CLOEXEC)),
      no_log_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {
  if (!no_schedule_ || !no_log_ || ::ftruncate(no_schedule_.get(), kScheduleBytes) != 0) {
    link::throw_host_error("simulated time for guests", errno);
  }
  SC_THREAD(run);
}

Conductor::~Conductor() {
  for (const auto& guest : guests_) {
    if (guest->listener) ::unlink(guest->path.c_str());
  }
}

void Conductor::add(Door& door, const std::string& path) {
  auto guest = std::make_unique<Guest>();
  guest->door = &door;
  guest->path = path;
  link::SocketAddress address;
  address.path = path;
  guest->listener = link::listen_on(address);
  Guest& added = *guest;
  door.on_kick([this, &added] { on_kick(added); });
  door.on_done([this, &added] { on_done(added); });
  raised_ |= door.raised();
  guests_.push_back(std::move(guest));
}

/// False: the run is to end.
bool Conductor::await_input(std::vector<pollfd>& fds, int milliseconds) {
  fds.push_back({stop_.fd(), POLLIN, 0});
  int ready = 0;
  do {
    ready = ::poll(fds.data(), fds.size(), milliseconds);
  } while (ready < 0 && errno == EINTR);
  stopping_ = stopping_ || fds.back().revents != 0;
  fds.pop_back();
  return !stopping_;
}

/// Waits for this guest, which runs, and does what it asks for.
void Conductor::pump(Guest& guest, bool time_only) {
  std::vector<pollfd> fds{{guest.time ? guest.time.fd() : guest.listener.get(), POLLIN, 0}};
  if (!time_only) guest.door->watch(fds);
  if (!await_input(fds, -1)) return;
  if (fds[0].revents != 0) {
    if (guest.time) {
      receive(guest);
    } else {
      accept(guest);
    }
    return;
  }
  guest.door->serve();
  if (guest.door->statistics().dropped > 0) part(guest);
}

void Conductor::await_answer(Guest& guest) {
  while (!guest.gone && !stopping_ && !guest.clock.answered()) pump(guest, true);
}

void Conductor::accept(Guest& guest) {
  link::UniqueFd client = link::accept_from(guest.listener.get());
  if (client) guest.time = Peer(std::move(client));
}

void Conductor::receive(Guest& guest) {
  const bool open = guest.time.receive();
  while (!guest.gone && guest.time.input().size() >= kTimeMessageBytes) {
    const auto parsed = parse_time_message(guest.time.input().first(kTimeMessageBytes));
    if (const auto* why = std::get_if<std::string>(&parsed)) return break_with(guest, *why);
    guest.time.drop(kTimeMessageBytes);
    take(guest, std::get<TimeMessage>(parsed));
  }
  if (!open && !guest.gone) part(guest);
}

void Conductor::take(Guest& guest, const TimeMessage& message) {
  ++statistics_.messages;
  if (guest.clock.started() && !guest.shares) guest.shares = !config_.paced && guest.shared.used();
  if (guest.shares && message.op == TimeOp::kWait) take_request(guest);
  if (guest.gone) return;
  if (message.op == TimeOp::kGet) catch_up(guest);
  const auto result = guest.clock.take(message, now_ns(), config_.calendar);
  if (const auto* why = std::get_if<std::string>(&result)) return break_with(guest, *why);
  const auto* ack = std::get_if<TimeMessage>(&result);
  if (ack == nullptr) return;
  if (message.op == TimeOp::kStart) return begin(guest, *ack);
  if (message.op == TimeOp::kUpdate) go_to(message.time);
  if (!guest.shares) return send(guest, *ack);
  if (message.op == TimeOp::kGetTod) take_shared(guest, TimeOp::kGet, 0);  // it looks there next
  tell_time(guest);
  if (message.op != TimeOp::kWait) return send(guest, *ack);
  guest.shared.allow_until(0);
  guest.shared.set_running(false);
}

/// The answer to START, with the memory beside it.
void Conductor::begin(Guest& guest, const TimeMessage& start) {
  TimeMessage ack = start;
  if (!config_.paced) ack.time = SharedClock::kGuest;
  const int schedule = config_.paced ? no_schedule_.get() : guest.shared.fd();
  const std::array<int, 2> beside{schedule, no_log_.get()};
  if (!guest.time.send(to_bytes(ack), beside)) part(guest);
}

/// A guest has come so far by itself; nothing else happens before.
void Conductor::go_to(std::uint64_t nanoseconds) {
  if (nanoseconds <= now_ns()) return;
  sc_core::wait(to_sc(ns(static_cast<std::int64_t>(nanoseconds)) - sc_now()));
}

/// What a guest says in shared memory is treated as if it came as a message.
void Conductor::take_shared(Guest& guest, TimeOp op, std::uint64_t time) {
  const auto result = guest.clock.take({op, 0, time}, now_ns(), config_.calendar);
  if (const auto* why = std::get_if<std::string>(&result)) return break_with(guest, *why);
  if (op == TimeOp::kUpdate) go_to(time);
}

/// A guest that waits looks there if something happens to it, and cannot go back.
void Conductor::tell_time(Guest& guest) {
  guest.shared.set_time(std::max(now_ns(), guest.clock.latest()));
}

void Conductor::take_request(Guest& guest) {
  if (guest.gone || !guest.shares) return;
  const auto time = guest.shared.request();
  if (time && *time != guest.clock.wish()) take_shared(guest, TimeOp::kRequest, *time);
}

/// Something of ours, and what the guest answers. In shared memory there is nothing to answer.
void Conductor::ask(Guest& guest, const TimeMessage& message) {
  if (!guest.shares) {
    send(guest, message);
    return await_answer(guest);
  }
  guest.clock.take({TimeOp::kAck, message.number, 0}, now_ns(), config_.calendar);
  if (message.op != TimeOp::kRun) return;
  guest.shared.set_time(message.time);
  guest.shared.set_running(true);
  send(guest, message);
}

void Conductor::send(Guest& guest, const TimeMessage& message) {
  if (!guest.time.send(to_bytes(message))) part(guest);
}

/// It has gone.
void Conductor::part(Guest& guest) {
  if (guest.gone) return;
  guest.gone = true;
  guest.door->serve();  // it may have said goodbye
  guest.door->leave();
  guest.time = Peer();
}

void Conductor::break_with(Guest& guest, const std::string& why) {
  guest.door->fail(why);
  part(guest);
}

}  // namespace e1000tlm::plugs::uml
