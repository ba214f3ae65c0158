#pragma once
/// A branch of the line to another link partner: mirror and redirect.

#include <cstdint>
#include <map>
#include <string>

#include <systemc>

#include "e1000tlm/link/filter/filter_box.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::link {

/// What a branch does.
enum class Divert : std::uint8_t {
  kMirror,    ///< frames go on, and to the other partner as well; what that sends is lost
  kRedirect,  ///< frames go to the other partner instead; what that sends goes on in their place
};

/// A branch with a cable of its own; connect the other partner to outer(). Redirected frames'
/// place is on the way in if that is redirected (alone or with the other), else on the way out.
class DivertFilter final : public sc_core::sc_module, public LineFilter {
 public:
  /// Before simulation starts.
  DivertFilter(const sc_core::sc_module_name& name, Ways ways, Divert what);
  ~DivertFilter() override;

  /// Where the other partner belongs.
  CableEndIf& outer() { return cable_.end(1); }

  void take(Way way, FramePtr frame) override;
  bool idle() const override;
  /// "branch_no_link" (the other partner had no link yet), "mirror_returned".
  std::map<std::string, std::uint64_t> losses() const override;

 private:
  /// Negotiates for this end of the branch.
  class Port;

  void fetch();

  Ways ways_;
  Divert what_;
  mutable Cable cable_;
  std::unique_ptr<Port> port_;
  std::uint64_t returned_ = 0;
  sc_core::sc_event due_{"due"};
};

}  // namespace e1000tlm::link
