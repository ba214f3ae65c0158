#include "e1000tlm/plugs/control_door.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/traffic/units.h"

namespace e1000tlm::plugs {
namespace {

constexpr std::chrono::milliseconds kLookForStop{50};
constexpr Time kLongestStep = ms(1'000'000'000);
constexpr const char* kPauseOption = ",pause=on";

/// Takes the option off the address.
bool cut_pause(std::string& address) {
  const std::size_t at = address.find(kPauseOption);
  if (at == std::string::npos) return false;
  address.erase(at, std::string(kPauseOption).size());
  return true;
}

}  // namespace

ControlDoor::ControlDoor(const sc_core::sc_module_name& name, ControlBackend& backend,
                         const std::string& address)
    : sc_module(name), backend_(backend), gate_("gate") {
  std::string where = address;
  paused_ = cut_pause(where);
  server_ = std::make_unique<ControlServer>(
      where, [this](Client client, ControlRequest r) { request(client, std::move(r)); });
  SC_HAS_PROCESS(ControlDoor);
  SC_METHOD(hold);
  sensitive << again_;
  SC_METHOD(end_step);
  sensitive << step_over_;
  dont_initialize();
}

ControlDoor::~ControlDoor() = default;

void ControlDoor::start_of_simulation() { server_->start(); }

void ControlDoor::end_of_simulation() {
  finish_step(control_error(step_ ? step_->id : "",
                            ControlError(ControlCode::kFailed, "the run has ended before")));
  server_.reset();
}

/// On the server's thread.
void ControlDoor::request(Client client, ControlRequest request) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++waiting_;
  }
  gate_.post([this, client, request = std::move(request)] { carry_out(client, request); });
  posted_.notify_one();
}

void ControlDoor::carry_out(Client client, const ControlRequest& request) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    --waiting_;
  }
  std::optional<std::string> line;
  try {
    if (const auto result = perform(client, request)) line = control_result(request.id, *result);
  } catch (const ControlError& error) {
    line = control_error(request.id, error);
  } catch (const std::exception& error) {
    line = control_error(request.id, ControlError(ControlCode::kFailed, error.what()));
  }
  if (line) server_->answer(client, std::move(*line));
}

/// nullopt: the answer comes later.
std::optional<std::string> ControlDoor::perform(Client client, const ControlRequest& request) {
  const std::string& method = request.method;
  if (method == "time") return time();
  if (method != "pause" && method != "resume" && method != "step") return backend_.call(request);
  if (step_)
    throw ControlError(ControlCode::kFailed, method + ": a step is under way; wait for it");
  if (method == "pause") {
    paused_ = true;
    again_.notify(sc_core::SC_ZERO_TIME);
    return time();
  }
  if (method == "resume") {
    paused_ = false;
    return time();
  }
  Time span{};
  try {
    span = traffic::parse_time(request.require("time"));
  } catch (const std::invalid_argument& error) {
    throw ControlError(ControlCode::kParams, std::string("step: ") + error.what());
  }
  if (span == kTimeZero || span > kLongestStep) {
    throw ControlError(ControlCode::kParams, "step: expected a time above 0, such as 10us");
  }
  paused_ = false;
  step_ = Step{client, request.id};
  step_over_.notify(to_sc(span));
  return std::nullopt;
}

/// Keeps the kernel at the present time while it is paused.
void ControlDoor::hold() {
  if (!paused_) return;
  if (backend_.stop_wanted()) {
    sc_core::sc_stop();
    return;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  posted_.wait_for(lock, kLookForStop, [this] { return waiting_ != 0; });
  lock.unlock();
  again_.notify(sc_core::SC_ZERO_TIME);
}

void ControlDoor::end_step() {
  paused_ = true;
  finish_step(control_result(step_->id, time()));
  again_.notify(sc_core::SC_ZERO_TIME);
}

void ControlDoor::finish_step(const std::string& line) {
  if (!step_) return;
  server_->answer(step_->client, line);
  step_.reset();
}

std::string ControlDoor::time() const {
  const Time now = sc_now();
  return R"({"ps":)" + std::to_string(now.count()) + R"(,"time":")" + traffic::format_time(now) +
         R"(","paused":)" + (paused_ ? "true" : "false") + "}";
}

}  // namespace e1000tlm::plugs
