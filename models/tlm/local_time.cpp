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
  sc_core::wait(delay());
  resume();
  return true;
}

void LocalTime::wait(const sc_core::sc_event& event, Time timeout) {
  sync();
  if (timeout == kTimeNever) {
    sc_core::wait(event);
  } else {
    sc_core::wait(to_sc(timeout), event);
  }
  resume();
}

}  // namespace e1000tlm
