#include "e1000tlm/plugs/vfio_user/interrupts.h"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace e1000tlm::plugs::vfio_user {
namespace {

using Data = SetIrqs::Data;
using Action = SetIrqs::Action;

/// Anything else could block whoever reads it, and means nothing.
bool is_eventfd(int fd) {
  std::array<char, 32> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t bytes = ::readlink(link.c_str(), target.data(), target.size());
  return bytes > 0 &&
         std::string_view(target.data(), static_cast<std::size_t>(bytes)) == "anon_inode:[eventfd]";
}

Refusal invalid(const char* why) { return {EINVAL, std::string("SET_IRQS: ") + why, false}; }

}  // namespace

std::uint32_t Interrupts::count(Irq kind) const {
  if (kind == Irq::kMsi) return msi_ ? 1 : 0;
  return kind == Irq::kMsix ? static_cast<std::uint32_t>(vectors_.size()) : 1;
}

std::optional<Refusal> Interrupts::set(const SetIrqs& request,
                                       std::vector<link::UniqueFd> descriptors) {
  if (request.index >= kIrqKinds) return invalid("no such kind of interrupt");
  const auto kind = static_cast<Irq>(request.index);
  const bool off = request.action == Action::kTrigger && request.data == Data::kNone;
  if (request.count == 0 && request.start == 0 && off) {
    turn_off(kind);
    return std::nullopt;
  }
  const std::uint32_t there = count(kind);
  if (request.start >= there || request.count == 0 || request.count > there - request.start) {
    return invalid("no interrupt of this number");
  }
  if (!descriptors.empty() && descriptors.size() != request.count) {
    return invalid("not as many descriptors as interrupts");
  }
  for (const link::UniqueFd& fd : descriptors) {
    if (!is_eventfd(fd.get())) return invalid("its descriptor is no eventfd");
  }
  if (kind == Irq::kMsix) return set_vectors(request, std::move(descriptors));
  link::UniqueFd fd = descriptors.empty() ? link::UniqueFd() : std::move(descriptors.front());
  if (request.action == Action::kTrigger) return set_trigger(kind, request, std::move(fd));
  if (kind != Irq::kIntx) return invalid("only INTx and MSI-X can be masked");
  return set_mask(request, std::move(fd));
}

void Interrupts::turn_off(Irq kind) {
  triggers_[static_cast<std::size_t>(kind)].reset();
  if (kind == Irq::kIntx) {
    unmask_.reset();
    masked_ = false;
  }
  if (kind == Irq::kMsi) message_pending_ = false;
  if (kind != Irq::kMsix) return;
  for (Vector& vector : vectors_) vector = {};
}

std::optional<Refusal> Interrupts::set_trigger(Irq kind, const SetIrqs& request,
                                               link::UniqueFd descriptor) {
  link::UniqueFd& trigger = triggers_[request.index];
  if (request.data == Data::kEventFd) {
    trigger = std::move(descriptor);
    if (kind == Irq::kIntx) masked_ = false;
    update();
    send_message();
    return std::nullopt;
  }
  // The client tries its own end.
  const bool wanted = request.data == Data::kNone || request.flags[0] != 0;
  if (wanted && trigger) signal_.send(trigger.get());
  return std::nullopt;
}

std::optional<Refusal> Interrupts::set_mask(const SetIrqs& request, link::UniqueFd descriptor) {
  const bool mask = request.action == Action::kMask;
  if (request.data == Data::kEventFd) {
    if (mask) return invalid("masking by an eventfd is not offered");
    unmask_ = std::move(descriptor);
    return std::nullopt;
  }
  if (request.data == Data::kBool && request.flags[0] == 0) return std::nullopt;
  masked_ = mask;
  update();
  return std::nullopt;
}

std::optional<Refusal> Interrupts::set_vectors(const SetIrqs& request,
                                               std::vector<link::UniqueFd> descriptors) {
  if (request.data == Data::kEventFd && request.action != Action::kTrigger) {
    return invalid("masking by an eventfd is not offered");
  }
  for (std::uint32_t i = 0; i < request.count; ++i) {
    Vector& vector = vectors_[request.start + i];
    if (request.data == Data::kEventFd) {
      vector.trigger = descriptors.empty() ? link::UniqueFd() : std::move(descriptors[i]);
      send(vector);
    } else if (request.data == Data::kBool && request.flags[i] == 0) {
      continue;
    } else if (request.action != Action::kTrigger) {
      mask(request.start + i, request.action == Action::kMask);
    } else if (vector.trigger) {  // the client tries its own end
      signal_.send(vector.trigger.get());
    }
  }
  return std::nullopt;
}

void Interrupts::set_level(bool high) {
  level_ = high;
  update();
}

void Interrupts::disable_intx(bool disabled) {
  disabled_ = disabled;
  update();
}

void Interrupts::update() {
  const link::UniqueFd& trigger = triggers_[static_cast<std::size_t>(Irq::kIntx)];
  if (!level_ || masked_ || disabled_ || !trigger) return;
  masked_ = true;
  ++intx_signals_;
  signal_.send(trigger.get());
}

void Interrupts::message() {
  message_pending_ = true;
  send_message();
}

void Interrupts::send_message() {
  const link::UniqueFd& trigger = triggers_[static_cast<std::size_t>(Irq::kMsi)];
  if (!trigger || !message_pending_) return;
  message_pending_ = false;
  ++msi_signals_;
  signal_.send(trigger.get());
}

void Interrupts::message(unsigned vector) {
  vectors_[vector].pending = true;
  send(vectors_[vector]);
}

void Interrupts::mask(unsigned vector, bool masked) {
  vectors_[vector].masked = masked;
  send(vectors_[vector]);
}

/// If its message has come, and it is open.
void Interrupts::send(Vector& vector) {
  if (!vector.pending || vector.masked || !vector.trigger) return;
  vector.pending = false;
  ++msix_signals_;
  signal_.send(vector.trigger.get());
}

void Interrupts::unmasked() {
  if (!take_events(unmask_.get())) return;
  masked_ = false;
  update();
}

void Interrupts::clear() {
  for (link::UniqueFd& trigger : triggers_) trigger.reset();
  for (Vector& vector : vectors_) vector = {};
  unmask_.reset();
  masked_ = disabled_ = message_pending_ = false;
}

}  // namespace e1000tlm::plugs::vfio_user
