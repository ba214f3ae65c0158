#pragma once
/// The filters of one link, made from --filter.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/capture/wire_capture.h"
#include "e1000tlm/link/filter/divert_filter.h"
#include "e1000tlm/link/filter/filter_box.h"
#include "e1000tlm/link/filter/impair_filter.h"
#include "e1000tlm/link/partner.h"

namespace e1000tlm::platform {

/// The text of a filter without its link, "impair:loss=1%", taken apart and checked as far as that
/// is possible without opening anything. Throws std::invalid_argument.
link::PartnerSpec parse_filter_spec(const std::string& text);

/// They stand between an end of a cable and the link partner there.
class LinkFilters : public sc_core::sc_module {
 public:
  /// `filters`: in their order from the adapter on. `seed`: of those that say nothing of it.
  /// Branches lead to partners of the kinds that the registry has. Throws std::invalid_argument or
  /// std::runtime_error naming the filter and what is wrong with it.
  LinkFilters(const sc_core::sc_module_name& name, link::CableEndIf& inner,
              const std::vector<FilterConfig>& filters, const link::PartnerRegistry& registry,
              std::uint64_t seed);
  ~LinkFilters() override;

  /// Where the link's partner belongs.
  link::CableEndIf& outer() { return box_.outer(); }
  /// No frame is held back here, and no partner of a branch has more.
  bool idle() const;
  /// A branch leads to the live world.
  bool live() const;
  /// They reorder or double frames, or leave undetected damage in them: it is no fault if that is
  /// found.
  bool disturbs() const;
  /// Frames lost, by reason.
  std::map<std::string, std::uint64_t> losses() const;
  /// Completes files; what cannot be written is added to `failures`.
  void finish(std::vector<std::string>& failures);
  /// In the order in which they were given.
  const std::vector<link::ImpairFilter*>& impairments() const { return impairments_; }

 private:
  /// Another link partner, at the end of a branch.
  struct Branch {
    std::string text;
    std::unique_ptr<link::LinkPartner> partner;
  };

  void add(const std::string& name, const link::PartnerSpec& spec, unsigned inner_end,
           const link::PartnerRegistry& registry, std::uint64_t seed);
  void add_dump(const link::PartnerSpec& spec, link::Ways ways, unsigned inner_end);
  void add_branch(const std::string& name, const link::PartnerSpec& spec, link::Ways ways,
                  const link::PartnerRegistry& registry, std::uint64_t seed);

  link::FilterBox box_;
  std::vector<link::ImpairFilter*> impairments_;
  std::vector<std::unique_ptr<link::WireCapture>> dumps_;
  std::vector<Branch> branches_;
};

}  // namespace e1000tlm::platform
