#include "e1000tlm/tlm/local_time.h"

#include <stdexcept>

#include <tlm>

namespace e1000tlm {

void check_time_resolution() {
  if (sc_core::sc_get_time_resolution() != sc_core::sc_time(1, sc_core::SC_PS)) {
    throw std::runtime_error("e1000-tlm needs a SystemC time resolution of 1 ps, found " +
                             sc_core::sc_get_time_resolution().to_string());
  }
}

void LocalTime::start() {
  quantum_ = from_sc(::tlm::tlm_global_quantum::instance().get());
  resume();
}

bool LocalTime::sync() {
  if (now_ <= kernel_) return false;
  if (absence_ != nullptr) absence_->begins(now_);
  sc_core::wait(delay());
  resume();
  if (absence_ != nullptr) absence_->ends();
  return true;
}

void LocalTime::wait(const sc_core::sc_event& event, Time timeout) {
  sync();
  wait_until(event, timeout == kTimeNever ? kTimeNever : kernel_ + timeout);
}

}  // namespace e1000tlm
