#pragma once
/// MDIC: PHY registers over the management bus, at its speed (manual 13.4.8).

#include <cstdint>

#include <systemc>

#include "e1000tlm/e1000/core.h"

namespace e1000tlm::e1000 {

class MdiInterface : public sc_core::sc_module {
 public:
  MdiInterface(const sc_core::sc_module_name& name, Core& core);

  void reset();
  bool busy() const { return busy_; }

 private:
  void mdic_written(std::uint32_t index, std::uint32_t value);
  /// SC_METHOD: the frame on the management bus has ended.
  void complete();

  Core& core_;
  sc_core::sc_event done_event_;
  bool busy_ = false;
  Time begun_ = kTimeZero;
};

}  // namespace e1000tlm::e1000
