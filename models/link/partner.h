#pragma once
/// The host side of a cable: what a NIC is connected to, made from "kind:key=value,...".

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <systemc>

#include "models/link/cable.h"
#include "models/tlm/time.h"

namespace e1000tlm::link {

/// "kind:key=value,key=value" taken apart. Commas inside a value are written twice.
struct PartnerSpec {
  std::string kind;
  std::map<std::string, std::string> options;

  /// Throws std::invalid_argument naming the text and what is wrong with it.
  static PartnerSpec parse(std::string_view text);
};

struct PartnerStatistics {
  std::uint64_t frames_to_nic = 0, bytes_to_nic = 0;      ///< bytes without FCS
  std::uint64_t frames_from_nic = 0, bytes_from_nic = 0;
  std::map<std::string, std::uint64_t> drops;  ///< reason -> frames
};

/// Base of all link partners. A partner owns one end of a cable; it advertises its abilities from
/// the start of simulation and has link as soon as the other end negotiates with it.
class LinkPartner : public sc_core::sc_module {
 public:
  LinkPartner(const sc_core::sc_module_name& name, CableEndIf& end);
  ~LinkPartner() override;

  /// A partner that brings its own traffic (a capture): all of it has been sent.
  virtual bool exhausted() const { return true; }
  /// Driven by the outside world's clock: the simulation must be paced and never "done".
  virtual bool live() const { return false; }
  /// Flushes files and closes host resources; called once at the end of simulation.
  virtual void finish() {}
  const PartnerStatistics& statistics() const { return statistics_; }

 protected:
  CableEndIf& end_;
  PartnerStatistics statistics_;
};

/// Everything a partner may need beside its options.
struct PartnerContext {
  std::string name;                ///< SystemC module name
  std::uint64_t seed = 1;
  Time hold_flush = us(10);        ///< see HoldQueue
};

/// The registry "kind" -> factory. Kinds of this folder register themselves through
/// register_builtin_partners(); others may add theirs.
class PartnerRegistry {
 public:
  using Factory = std::function<std::unique_ptr<LinkPartner>(const PartnerContext&, CableEndIf&,
                                                             const PartnerSpec&)>;
  struct Kind {
    std::string summary;               ///< one line for --help
    std::vector<std::string> options;  ///< accepted keys; others are an error
    Factory make;
  };

  static PartnerRegistry& instance();
  void add(const std::string& name, Kind kind);
  /// Throws std::invalid_argument (unknown kind or option, bad value) or std::runtime_error (file,
  /// device or socket cannot be opened), naming the kind, option, path and reason.
  std::unique_ptr<LinkPartner> make(const PartnerContext& context, CableEndIf& end,
                                    const PartnerSpec& spec) const;
  const std::map<std::string, Kind>& kinds() const { return kinds_; }

 private:
  std::map<std::string, Kind> kinds_;
};

/// pcap, tap, dgram, null, loopback.
void register_builtin_partners();

}  // namespace e1000tlm::link
