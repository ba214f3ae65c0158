#pragma once
/// The host side of a cable: what a NIC is connected to, made from "kind:key=value,...".

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <systemc>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner_spec.h"
#include "e1000tlm/link/pause_queue.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::virtio {
class DataPlaneSeat;
}

namespace e1000tlm::link {

/// What a partner has counted, seen from the NIC.
struct PartnerStatistics {
  /// Frames sent to the NIC.
  std::uint64_t frames_to_nic = 0;
  /// Their bytes without FCS.
  std::uint64_t bytes_to_nic = 0;
  /// Frames received from the NIC.
  std::uint64_t frames_from_nic = 0;
  /// Their bytes without FCS.
  std::uint64_t bytes_from_nic = 0;
  std::map<std::string, std::uint64_t> drops;  ///< reason -> frames
};

/// Base of all link partners. A partner owns one end of a cable; it advertises its abilities from
/// the start of simulation and has link as soon as the other end negotiates with it.
class LinkPartner : public sc_core::sc_module {
 public:
  /// `end` must outlive the partner. Takes the options common to all kinds from `spec`.
  LinkPartner(const sc_core::sc_module_name& name, CableEndIf& end, const PartnerSpec& spec = {});
  ~LinkPartner() override;

  /// Nothing is left to be sent: of a capture that the partner replays, or held up by PAUSE.
  virtual bool exhausted() const { return pause_.waiting() == 0; }
  /// Frames may come from the outside world, whenever it likes: the simulation must be paced, and
  /// is not over because nothing is to be done. False again once fault() says something.
  virtual bool live() const { return false; }
  /// Flushes files and closes host resources; called once at the end of simulation.
  virtual void finish() {}
  /// Takes what the NIC sends and gives it to nobody, as it should: frames that are to come back
  /// from here are not lost.
  virtual bool swallows() const { return false; }
  /// Why the partner can no longer do its work, for good; empty: it can.
  virtual std::string fault() const { return {}; }
  /// What its user should know although it works, a sentence each.
  virtual std::vector<std::string> warnings() const { return {}; }
  /// Queues that it has towards the host: a frame with Frame::queue below that leaves by this one,
  /// and those that come carry theirs. 1: none that could be told apart.
  virtual unsigned queues() const { return 1; }
  /// What it has counted so far.
  const PartnerStatistics& statistics() const { return statistics_; }
  /// What it advertises.
  const Abilities& abilities() const { return abilities_; }

 protected:
  /// What the partner tells the MAC's side about itself (see CableEndIf::set_ready).
  virtual bool ready() const { return true; }
  /// The link may have come, gone or changed; called in the partner's process.
  virtual void link_changed() {}

  /// For derived classes: a frame came in.
  void count_from_nic(const Frame& frame) {
    ++statistics_.frames_from_nic;
    statistics_.bytes_from_nic += frame.size();
  }
  /// For derived classes: a frame that was counted did not come in after all.
  void uncount_from_nic(std::size_t size) {
    --statistics_.frames_from_nic;
    statistics_.bytes_from_nic -= size;
  }
  /// For derived classes: a frame goes out.
  void count_to_nic(const Frame& frame) {
    ++statistics_.frames_to_nic;
    statistics_.bytes_to_nic += frame.size();
  }

  /// The end of the cable that it owns.
  CableEndIf& end_;
  /// What statistics() shows.
  PartnerStatistics statistics_;
  /// The way to the wire; see PauseQueue::take() for what comes in.
  PauseQueue pause_;

 private:
  void negotiate();

  Abilities abilities_;
};

/// Everything a partner may need beside its options.
struct PartnerContext {
  std::string name;  ///< SystemC module name
  /// For partners that need chance.
  std::uint64_t seed = 1;
  Time hold_flush = us(10);  ///< see HoldQueue
  /// The run is to end: a partner that keeps the simulation waiting for the host gives up. None: it
  /// waits. Called on the simulation's thread.
  std::function<bool()> stop{};
  /// The device at the other end lets a partner work on its driver's rings; nullptr: it does not.
  virtio::DataPlaneSeat* seat = nullptr;
};

/// What a reference says of a kind of partner, in a few words each (--link KIND:help).
struct KindReference {
  /// One option.
  struct Key {
    std::string name;  ///< as in Kind::options
    std::string
        fallback;  ///< what holds without it; "-": nothing, it must be there or has no effect
    std::string meaning;  ///< values and what they do
  };
  /// All of Kind::options.
  std::vector<Key> keys;
  std::string qemu;           ///< what QEMU calls it
  std::string root;           ///< when it needs root
  std::string timing;         ///< live (keeps the run to the wall clock) or free-running
  std::string back_pressure;  ///< what happens when one side takes nothing
  std::string drops;          ///< reasons for lost frames beside those that all kinds have
};

/// The table "kind" -> factory that link partners are made from. A value: whoever makes partners
/// has one of its own, usually a copy of builtin_partners() with kinds of its own added.
class PartnerRegistry {
 public:
  /// Makes a partner; throws as PartnerRegistry::make() does.
  using Factory = std::function<std::unique_ptr<LinkPartner>(const PartnerContext&, CableEndIf&,
                                                             const PartnerSpec&)>;
  /// What the registry knows of a kind.
  struct Kind {
    std::string summary;               ///< one line for --help
    std::vector<std::string> options;  ///< accepted keys beside the common ones; others are errors
    /// Makes one.
    Factory make;
    /// For its users.
    KindReference reference{};
  };

  /// Adds a kind, or replaces one of the same name.
  void add(const std::string& name, Kind kind);
  /// Whoever asks for this kind is told the reason: what it takes to have it.
  void add_missing(const std::string& name, const std::string& reason) { missing_[name] = reason; }
  /// Kinds that this build lacks, and why.
  const std::map<std::string, std::string>& missing() const { return missing_; }
  /// Throws std::invalid_argument (unknown kind or option, bad value) or std::runtime_error (file,
  /// device or socket cannot be opened), naming the kind, option, path and reason.
  std::unique_ptr<LinkPartner> make(const PartnerContext& context, CableEndIf& end,
                                    const PartnerSpec& spec) const;
  /// All kinds by name.
  const std::map<std::string, Kind>& kinds() const { return kinds_; }
  /// Keys that every kind accepts: see abilities_from().
  static const std::vector<std::string>& common_options();

 private:
  std::map<std::string, Kind> kinds_;
  std::map<std::string, std::string> missing_;
};

}  // namespace e1000tlm::link
