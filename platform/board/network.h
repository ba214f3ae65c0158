#pragma once
/// What the adapters' cables lead to: link partners and switches.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/board/link_filters.h"
#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/link/switch/switch.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::platform {

/// PartnerSpec::kind of a link to a switch: "switch:NAME", "switch:NAME,speed=100".
inline constexpr const char* kSwitchKind = "switch";

/// The same of a link to a hub: "hub:NAME".
inline constexpr const char* kHubKind = "hub";
/// A link of this kind leads to a switch or hub.
inline bool leads_to_switch(const link::PartnerSpec& spec) {
  return spec.kind == kSwitchKind || spec.kind == kHubKind;
}

/// The end of a cable that leads somewhere else.
struct LinkEnd {
  /// What was asked for.
  link::PartnerSpec spec;
  std::unique_ptr<link::LinkPartner> partner;  ///< of a link to a switch: its port
};

class Network;

/// A link partner on a port of a switch, at the end of a cable of its own.
class Outlet : public sc_core::sc_module {
 public:
  /// See Network::connect().
  Outlet(const sc_core::sc_module_name& name, const OutletConfig& config, const std::string& place,
         Network& network, unsigned number);
  ~Outlet() override;

  /// As given with --on-switch.
  const std::string& text() const { return text_; }
  /// The cable between port and partner.
  link::Cable& cable() const { return *cable_; }
  /// What hangs there.
  link::LinkPartner& partner() const { return *partner_; }
  /// Between cable and partner; nullptr: none.
  LinkFilters* filters() const { return filters_.get(); }
  /// As --filter and the control socket name it: "lan/0".
  const std::string& place() const { return place_; }
  /// The switch's port.
  const link::LinkPartner& port() const { return *port_; }
  /// The partner is a port of another switch.
  bool joins_switches() const { return joins_switches_; }

 private:
  std::string text_;
  std::string place_;
  bool joins_switches_ = false;
  std::unique_ptr<link::Cable> cable_;
  std::unique_ptr<link::LinkPartner> port_;  // end 0
  std::unique_ptr<LinkFilters> filters_;     // if there are any
  std::unique_ptr<link::LinkPartner> partner_;
};

/// All of them. Must outlive the adapters and be made where their modules are made.
class Network {
 public:
  /// Makes the switches that are configured and those that links name. Throws
  /// std::invalid_argument naming the option.
  Network(BoardConfig config, link::PartnerRegistry partners);
  ~Network();

  /// Makes what stands in a --link at one end of a cable, as a module of the module under
  /// construction and with this name. `who` is what a switch's report calls its port; `number`
  /// tells links apart; `seat` is the device's at the near end, see link::PartnerContext. Throws
  /// std::invalid_argument or std::runtime_error.
  LinkEnd connect(const std::string& text, const std::string& name, link::CableEndIf& end,
                  const std::string& who, unsigned number, virtio::DataPlaneSeat* seat = nullptr);
  /// Makes the filters of a link (see FilterConfig::link), as a module of the module under
  /// construction; nullptr: it has none. Throws as LinkFilters does.
  std::unique_ptr<LinkFilters> filter(const std::string& link, link::CableEndIf& end,
                                      unsigned number) const;
  /// Makes a port of a switch or hub that exists at one end of a cable; otherwise as connect().
  std::unique_ptr<link::LinkPartner> plug_into(const std::string& hub_name, const std::string& name,
                                               link::CableEndIf& end, const std::string& who,
                                               const link::PartnerSpec& spec = {});
  /// Makes what --on-switch asks for, when all adapters are connected. Throws as connect() does,
  /// naming the option, and for a switch that nothing leads to, or switches in a ring.
  void hang_outlets();

  /// A switch and what its ports are called.
  struct Hub {
    /// The switch.
    std::unique_ptr<link::Switch> unit;
    std::vector<std::string> names;  ///< of its ports: "nic 0", "pcap:in=..."
  };
  /// The switches by name.
  const std::map<std::string, Hub>& hubs() const { return hubs_; }
  /// What --on-switch asked for.
  const std::vector<std::unique_ptr<Outlet>>& outlets() const { return outlets_; }

  /// No frame is on its way, and no outlet has more.
  bool quiet() const;
  /// A switch has frames that are due soon.
  bool busy() const;
  /// An outlet leads to the live world: the run must keep to the wall clock.
  bool live() const;

 private:
  void check_filters() const;
  void check_for_ring(const std::string& a, const std::string& b);

  BoardConfig config_;
  link::PartnerRegistry partners_;
  std::map<std::string, Hub> hubs_;
  std::map<std::string, std::string> joined_;  // switch -> another one of the same network
  std::vector<std::unique_ptr<Outlet>> outlets_;
};

/// "switch:NAME,key=value" as a PartnerSpec of kind "switch" with the option "name"; the same for
/// "hub". nullopt: no link to either. Throws std::invalid_argument.
std::optional<link::PartnerSpec> parse_switch_link(const std::string& text);

}  // namespace e1000tlm::platform
