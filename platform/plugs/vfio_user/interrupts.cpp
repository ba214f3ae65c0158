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

std::optional<Refusal> Interrupts::set(const SetIrqs& request,
                                       std::vector<link::UniqueFd> descriptors, bool has_msi) {
  if (request.index >= kIrqKinds) return invalid("no such kind of interrupt");
  const auto kind = static_cast<Irq>(request.index);
  const bool off = request.action == Action::kTrigger && request.data == Data::kNone;
  if (request.count == 0 && request.start == 0 && off) {
    triggers_[request.index].reset();
    if (kind == Irq::kIntx) {
      unmask_.reset();
      masked_ = false;
    }
    if (kind == Irq::kMsi) message_pending_ = false;
    return std::nullopt;
  }
  const bool exists = kind != Irq::kMsix && (kind != Irq::kMsi || has_msi);
  if (!exists || request.start != 0 || request.count != 1) {
    return invalid("no interrupt of this number");
  }
  if (descriptors.size() > 1) return invalid("more descriptors than interrupts");
  link::UniqueFd fd = descriptors.empty() ? link::UniqueFd() : std::move(descriptors.front());
  if (fd && !is_eventfd(fd.get())) return invalid("its descriptor is no eventfd");
  if (request.action == Action::kTrigger) return set_trigger(kind, request, std::move(fd));
  if (kind != Irq::kIntx) return invalid("only INTx can be masked");
  return set_mask(request, std::move(fd));
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

void Interrupts::unmasked() {
  if (!take_events(unmask_.get())) return;
  masked_ = false;
  update();
}

void Interrupts::clear() {
  for (link::UniqueFd& trigger : triggers_) trigger.reset();
  unmask_.reset();
  masked_ = disabled_ = message_pending_ = false;
}

}  // namespace e1000tlm::plugs::vfio_user
