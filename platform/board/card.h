#pragma once
/// What a slot needs of the adapter that is in it, whatever its model.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <systemc>

#include "e1000tlm/board/board_config.h"
#include "e1000tlm/link/cable.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/report/summary.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"
#include "e1000tlm/virtio/data_plane.h"

namespace e1000tlm::platform {

/// Memory of a board that other programs can map.
struct SharedMemory {
  Bytes bytes;          ///< from the bus's address 0 on
  int descriptor = -1;  ///< of the file that it is
};

/// Which adapter it is: on its board, and of all boards.
struct NicPlace {
  /// On its board, from 0.
  unsigned index = 0;
  /// Of all boards, from 0.
  unsigned number = 0;
  /// Its board's; nullptr: nobody else can map that.
  const SharedMemory* memory = nullptr;
};

/// The mode of a card's link.
struct CardLink {
  bool up = false;               ///< there is link
  unsigned mbit_per_second = 0;  ///< 0 without link
  bool full_duplex = false;      ///< false without link
};

/// What it says of a run that a card has lost frames.
enum class DropKind : std::uint8_t {
  kFault,     ///< something inside went wrong, or software misused the card
  kExpected,  ///< follows from what came, or from overload
  kTooLong,   ///< ditto: longer than software takes
  kFiltered,  ///< not meant for this card: not lost
  kConsumed,  ///< taken by the card itself: not lost
};

/// Frames that ended in a card.
struct CardDrop {
  /// Why, as reports name it.
  std::string_view reason;
  /// How many, also 0.
  std::uint64_t frames = 0;
  /// What that means.
  DropKind kind = DropKind::kFault;
};

/// A card makes its modules where the slot stands in the hierarchy, while the slot is constructed.
/// What only some models have is asked of them: see e1000_card().
class Card {
 public:
  virtual ~Card() = default;

  /// The device on the bus.
  virtual pci::Function& function() = 0;
  /// Plugs the cable in, once, before simulation starts.
  virtual void connect(link::CableEndIf& end) = 0;

  /// Lets a link partner work on the driver's rings in memory; nullptr: it does not.
  virtual virtio::DataPlaneSeat* seat() { return nullptr; }

  /// What it is, as reports name it.
  virtual std::string model() const = 0;
  /// Station address at power-up.
  virtual std::array<std::uint8_t, 6> mac() const = 0;
  /// Pairs of queues that it has, each of which may be joined to a queue of the link.
  virtual unsigned queue_pairs() const { return 1; }
  /// Somebody beside the simulation carries its packets: none passes the cable.
  virtual bool carried_by_others() const { return false; }
  /// As the card sees it.
  virtual CardLink link() const = 0;
  /// Notified when link() changes.
  virtual const sc_core::sc_event& link_event() const = 0;

  /// See e1000::Controller::set_lookahead().
  virtual void set_lookahead(Time limit) = 0;
  /// DMA or a frame on the wire is under way.
  virtual bool busy() const = 0;
  /// Not busy, nothing waits for time or room, no interrupt pending.
  virtual bool idle() const = 0;

  /// Interrupts so far.
  virtual std::uint64_t interrupts() const = 0;
  /// All reasons that the model knows, always in the same order.
  virtual std::vector<CardDrop> drops() const = 0;
  /// Why the card has stopped working until it is reset; empty: it works.
  virtual std::string fault() const { return {}; }
  /// Adds what only this model has to say.
  virtual void add_to(NicSummary& summary) const = 0;

  /// Names of registers that debug_read() knows; arrays as "MTA[0..127]".
  virtual std::vector<std::string> register_names() const = 0;
  /// Names and values, read without side effects: of a register, or of a whole array. Throws
  /// std::invalid_argument for a name or an index that there is not.
  virtual std::vector<std::pair<std::string, std::uint32_t>> debug_read(
      const std::string& name) = 0;

  /// After the run: completes files. What cannot be written is added to `failures`.
  virtual void finish(std::vector<std::string>& failures) = 0;
};

/// What the board knows of a model before there is a card.
struct CardModel {
  /// It may have a seat(), for which its board's memory must be NicPlace::memory.
  bool shares_memory;
  /// Throws std::invalid_argument if it cannot stand on this bus, which is called `name`.
  void (*check_bus)(const NicConfig& config, const std::string& name, const pci::BusSpeed& bus);
  /// Makes one. Throws std::invalid_argument or std::runtime_error naming the option and what is
  /// wrong with it.
  std::unique_ptr<Card> (*make)(const NicConfig& config, const NicPlace& place,
                                const pci::BusSpeed& bus);
};
/// Of this model.
const CardModel& card_model(NicModel model);

/// The station address of an adapter that is given none.
std::array<std::uint8_t, 6> default_mac(unsigned number);

/// Does something for an option, which exceptions then name.
template <class Call>
auto with_context(const std::string& option, Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    throw std::invalid_argument(option + ": " + error.what());
  }
}

}  // namespace e1000tlm::platform
