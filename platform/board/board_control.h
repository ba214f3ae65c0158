#pragma once
/// What a control client can see and do on a board.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/board/network.h"
#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/link/capture/wire_capture.h"
#include "e1000tlm/plugs/control_door.h"
#include "e1000tlm/report/summary.h"
#include "e1000tlm/tlm/probe.h"

namespace e1000tlm::platform {

class E1000Card;

/// Carries out the methods of the control socket; doc/control.md lists them. Registers, PHY and
/// EEPROM are read as a debugger does, without side effects.
class BoardControl : public sc_core::sc_module, private plugs::ControlBackend {
 public:
  /// Opens the socket. `summary`: the state of the run, at any time. The rest must outlive this.
  /// Throws as plugs::ControlDoor does.
  BoardControl(const sc_core::sc_module_name& name, const std::string& address,
               const std::vector<NicSlot*>& nics, const Network& network,
               std::function<RunSummary()> summary);
  ~BoardControl() override;

  /// A client has ended the run.
  bool stopped() const { return stopped_; }
  /// Completes captures; what cannot be written is added to `failures`.
  void finish(std::vector<std::string>& failures);

 private:
  /// A cable, as clients name it.
  struct Line {
    std::string place;
    link::Cable* cable;
    LinkFilters* filters;
    std::string text;
    const link::LinkPartner* partner;
  };
  /// A recording of a cable that can be stopped: the cable's probe is joined once.
  struct Recording {
    Probe<link::WireEvent> events;
    std::string path;
    std::unique_ptr<link::WireCapture> capture;
  };
  using Method = std::string (BoardControl::*)(const plugs::ControlRequest&);
  struct Entry {
    Method run;
    std::vector<std::string> params;
  };

  std::string call(const plugs::ControlRequest& request) override;
  bool stop_wanted() const override;

  std::string methods(const plugs::ControlRequest& request);
  std::string info(const plugs::ControlRequest& request);
  std::string stats(const plugs::ControlRequest& request);
  std::string plug(const plugs::ControlRequest& request);
  std::string unplug(const plugs::ControlRequest& request);
  std::string set_link(const plugs::ControlRequest& request);
  std::string impair(const plugs::ControlRequest& request);
  std::string read_register(const plugs::ControlRequest& request);
  std::string registers(const plugs::ControlRequest& request);
  std::string eeprom(const plugs::ControlRequest& request);
  std::string phy(const plugs::ControlRequest& request);
  std::string capture_start(const plugs::ControlRequest& request);
  std::string capture_stop(const plugs::ControlRequest& request);
  std::string stop(const plugs::ControlRequest& request);

  std::string links_info() const;
  std::string nics_info() const;
  std::string switches_info() const;
  const Line& line(const plugs::ControlRequest& request) const;
  NicSlot& nic(const plugs::ControlRequest& request) const;
  E1000Card& e1000(const plugs::ControlRequest& request, const std::string& what) const;
  std::string plug_cable(const plugs::ControlRequest& request, bool in);

  const std::vector<NicSlot*>& nics_;
  const Network& network_;
  std::function<RunSummary()> summary_;
  std::map<std::string, Entry> methods_;
  std::vector<Line> lines_;
  std::map<std::string, std::unique_ptr<Recording>> recordings_;
  bool stopped_ = false;
  plugs::ControlDoor door_;
};

}  // namespace e1000tlm::platform
