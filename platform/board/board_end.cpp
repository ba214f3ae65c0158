/// When a run is over, and why.
#include <algorithm>

#include "e1000tlm/board/board.h"
#include "e1000tlm/board/board_control.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::platform {
namespace {

/// How long nothing may come back from the live world until what is missing counts as lost.
constexpr Time kPatience = ms(1'000);

}  // namespace

/// Frames may still come from the outside world.
bool Board::live() const {
  return network_.live() ||
         std::any_of(nics_.begin(), nics_.end(), [](auto* nic) { return nic->live(); });
}

/// The application has something to do that comes to an end, whatever comes in.
bool Board::has_task() const {
  return config_.app == AppChoice::kGenerate || config_.app == AppChoice::kBlast ||
         config_.app == AppChoice::kSelfTest || config_.app == AppChoice::kPing;
}

/// Asked again and again; never with a duration.
bool Board::over() {
  if (!done()) return false;
  if (!live()) return true;
  if (!has_task()) return false;
  const std::uint64_t missing_now = missing();
  if (missing_now != missing_) {
    missing_ = missing_now;
    missing_since_ = sc_now();
  }
  return missing_ == 0 || sc_now() - missing_since_ > kPatience;
}

/// Generated frames that have not come back, from where any can.
std::uint64_t Board::missing() const {
  std::uint64_t frames = 0;
  std::size_t index = 0;
  for (const auto& machine : machines_) {
    if (machine->driver() == nullptr || machine->driver()->app() == nullptr) continue;
    for (const auto& stream : machine->driver()->app()->streams()) {
      const std::uint64_t lost = stream.checker->lost(stream.sent);
      frames += lost - std::min(lost, swallowed(index++));
    }
  }
  return frames;
}

/// Frames of an adapter that have gone where none comes back from.
std::uint64_t Board::swallowed(std::size_t index) const {
  const link::LinkPartner& partner = nics_[index]->partner();
  return partner.swallows() ? partner.statistics().frames_from_nic : 0;
}

bool Board::meant_to_be_stopped() const {
  return !native() || (began_live_ && !has_task() && !config_.duration);
}

std::string Board::end_reason() const {
  if (!driver_error().empty()) return "failure";
  if (Supervisor::stop_was_requested() != 0) return "signal";
  if (!native() && !supervisor_) {
    return config_.duration && simulated_ >= *config_.duration ? "duration" : "client";
  }
  const bool clients_gone =
      std::all_of(agents_.begin(), agents_.end(), [](const auto& agent) { return agent->over(); });
  if (clients_gone) return "client";
  if (control_ && control_->stopped()) return "control";
  if (config_.duration) return "duration";
  if (supervisor_ && supervisor_->stalled()) return "standstill";
  return began_live_ && !live() && !has_task() ? "link gone" : "traffic handled";
}

}  // namespace e1000tlm::platform
