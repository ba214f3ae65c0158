#include "e1000tlm/trace/taps.h"

#include <utility>

#include <tlm>

namespace e1000tlm::trace {
namespace {

constexpr unsigned kHostMaster = 0;

}  // namespace

/// One board's bus.
class Taps::BusTap {
 public:
  BusTap(Taps& taps, pci::Bus& bus, std::uint16_t board, std::vector<NicTap*> nics)
      : taps_(taps), bus_(bus), board_(board), nics_(std::move(nics)) {
    bus.tenures().attach([this](const pci::TenureEvent& e) { tenure(e); });
  }

 private:
  void tenure(const pci::TenureEvent& e) {
    Event event;
    event.kind = Kind::kBus;
    event.asked = e.requested;
    event.at = e.start;
    event.end = e.end;
    event.value = e.address;
    event.bytes = e.bytes;
    event.board = board_;
    event.nic = kNoNic;
    event.command = e.command;
    const Time busy = bus_.statistics().busy;
    event.busy = busy - std::exchange(busy_, busy);
    if (e.master != kHostMaster && e.master <= nics_.size()) {
      NicTap& tap = *nics_[e.master - 1];
      event.nic = tap.nic();
      event.use = tap.use_of(e.address, pci::is_write(e.command));
      taps_.tell(event, tap.followed());
      return;
    }
    taps_.tell(event, true);
    if (pci::is_memory(e.command) && !e.master_abort) register_access(event);
  }

  /// Software's: to which adapter?
  void register_access(Event event) {
    for (NicTap* tap : nics_) {
      const auto offset = tap->register_at(event.value);
      if (!offset) continue;
      tap->accessed(*offset, pci::is_write(event.command), event.end);
      event.kind = Kind::kRegister;
      event.nic = tap->nic();
      event.value = *offset;
      return taps_.tell(event, tap->followed());
    }
  }

  Taps& taps_;
  pci::Bus& bus_;
  std::uint16_t board_;
  std::vector<NicTap*> nics_;
  Time busy_{};
};

Taps::Taps(platform::Board& board, Recorder& recorder, bool waves)
    : recorder_(recorder), paths_([this](const FramePath& path) { recorder_.record(path); }) {
  scene_.approximately_timed = ::tlm::tlm_global_quantum::instance().get() == sc_core::SC_ZERO_TIME;
  std::uint16_t number = 0;
  for (const auto& machine : board.machines()) {
    const auto place = static_cast<std::uint16_t>(buses_.size());
    std::vector<NicTap*> own;
    for (const auto& slot : machine->nics()) {
      scene_.board_of_nic.push_back(place);
      nics_.push_back(make_nic_tap(*this, *slot, number++, place));
      if (waves) nics_.back()->watch_pins();
      own.push_back(nics_.back().get());
    }
    pci::Bus& bus = machine->bus();
    scene_.bus = bus.config().speed;
    scene_.arbiter = bus.config().arbiter;
    if (waves && scene_.approximately_timed) {
      bus.transactions().attach(
          [this, place](const pci::Transaction& t) { recorder_.record(t, place); });
    }
    buses_.push_back(std::make_unique<BusTap>(*this, bus, place, std::move(own)));
  }
}

Taps::~Taps() = default;

void Taps::tell(const Event& event, bool follow) {
  recorder_.record(event);
  if (follow) paths_(event);
}

void Taps::tail(std::uint16_t nic, std::uint32_t tdt, std::uint32_t entries) {
  paths_.tail(nic, tdt, entries);
}

}  // namespace e1000tlm::trace
