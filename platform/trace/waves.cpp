#include "e1000tlm/trace/waves.h"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

#include "e1000tlm/pci/bus_signals.h"

namespace e1000tlm::trace {
namespace {

using platform::VcdFile;
using Signal = VcdFile::Signal;

constexpr unsigned kFifoBits = 17;   // up to 64 KiB
constexpr unsigned kMasterBits = 6;  // of pci::Arbiter::kMaxRequesters
constexpr unsigned kHostMaster = 0;

/// How a signal is declared, and how GTKWave is to show it.
struct Look {
  const char* name;
  unsigned bits;
  bool floats;
  bool high;    // at first
  bool analog;  // a number to be drawn as a curve
};

/// By pci::BusSignal. The width of C/BE# is the bus's.
constexpr std::array<Look, 8> kBusLooks{{{"frame_n", 1, false, true, false},
                                         {"irdy_n", 1, false, true, false},
                                         {"trdy_n", 1, false, true, false},
                                         {"devsel_n", 1, false, true, false},
                                         {"stop_n", 1, false, true, false},
                                         {"cbe_n", 4, true, false, false},
                                         {"ad", 32, true, false, false},
                                         {"master", kMasterBits, true, false, false}}};

/// Of an adapter; the first seven by Pin.
enum class NicSignal : std::size_t {
  kLed0,
  kLed1,
  kLed2,
  kLed3,
  kLink,
  kPme,
  kIntx,
  kReceiveValid,
  kTransmitValid,
  kReceiveFifo,
  kTransmitFifo,
  kCount
};
constexpr std::array<Look, static_cast<std::size_t>(NicSignal::kCount)> kNicLooks{
    {{"led0", 1, false, false, false},
     {"led1", 1, false, false, false},
     {"led2", 1, false, false, false},
     {"led3", 1, false, false, false},
     {"link", 1, false, false, false},
     {"pme_n", 1, false, true, false},
     {"intx_n", 1, false, true, false},
     {"rx_valid", 1, false, false, false},
     {"tx_valid", 1, false, false, false},
     {"rx_fifo", kFifoBits, false, false, true},
     {"tx_fifo", kFifoBits, false, false, true}}};

std::string board_name(std::size_t board) { return "board" + std::to_string(board); }
std::string nic_name(std::size_t nic) { return "nic" + std::to_string(nic); }

unsigned boards_of(const Scene& scene) {
  unsigned boards = 0;
  for (const std::uint16_t board : scene.board_of_nic) boards = std::max(boards, board + 1U);
  return boards;
}

std::vector<unsigned> nics_of(const Scene& scene, unsigned board) {
  std::vector<unsigned> nics;
  for (unsigned nic = 0; nic < scene.board_of_nic.size(); ++nic) {
    if (scene.board_of_nic[nic] == board) nics.push_back(nic);
  }
  return nics;
}

/// Masters of a board's bus by their numbers.
std::vector<std::string> masters_of(const Scene& scene, unsigned board) {
  std::vector<std::string> names{"host"};
  for (const unsigned nic : nics_of(scene, board)) names.push_back(nic_name(nic));
  return names;
}

unsigned bus_bits(const Scene& scene, const Look& look) {
  return look.name == kBusLooks[static_cast<std::size_t>(pci::BusSignal::kCbe)].name &&
                 scene.bus.width_bits == 64
             ? 8
             : look.bits;
}

/// Changes that are to come, in the order of their times.
class Changes {
 public:
  explicit Changes(VcdFile& file) : file_(file) {}

  void add(Signal signal, Time at, const pci::WireLevel& level) {
    pending_.push({at, count_++, signal, level});
  }
  void add(Signal signal, Time at, std::uint64_t value) {
    add(signal, at, pci::WireLevel::known(value));
  }
  /// Nothing earlier than this will be added.
  void write_before(Time limit) {
    for (; !pending_.empty() && pending_.top().at < limit; pending_.pop()) {
      const Change& change = pending_.top();
      using Drive = pci::WireLevel::Drive;
      switch (change.level.drive) {
        case Drive::kKnown: file_.set(change.signal, change.at, change.level.value); break;
        case Drive::kUnknown: file_.set_unknown(change.signal, change.at); break;
        case Drive::kFloating: file_.set_floating(change.signal, change.at); break;
      }
      latest_ = change.at;
    }
  }
  Time latest() const { return latest_; }

 private:
  struct Change {
    Time at;
    std::uint64_t order;
    Signal signal;
    pci::WireLevel level;
    bool operator<(const Change& o) const {  // the top of a queue is the greatest
      return std::tie(at, order) > std::tie(o.at, o.order);
    }
  };
  VcdFile& file_;
  std::priority_queue<Change> pending_;
  std::uint64_t count_ = 0;
  Time latest_{};
};

/// One board's bus, transaction by transaction.
class BusWaves {
 public:
  BusWaves(const Scene& scene, unsigned board, VcdFile& file, Changes& changes)
      : changes_(changes), grants_(scene.arbiter, [this](unsigned requester, Time at, bool low) {
          if (requester < gnt_.size()) changes_.add(gnt_[requester], at, low ? 0 : 1);
        }) {
    file.open_scope("pci");
    for (const std::string& name : masters_of(scene, board)) {
      req_.push_back(declare(file, "req_n_" + name));
      gnt_.push_back(declare(file, "gnt_n_" + name));
    }
    for (const Look& look : kBusLooks) {
      shared_.push_back(file.declare(look.name, bus_bits(scene, look), look.floats, look.high));
    }
    file.close_scope();
  }

  void load(std::vector<pci::Transaction> transactions) {
    transactions_ = std::move(transactions);
    for (const pci::Transaction& t : transactions_) {
      if (t.requester >= req_.size() || t.asked == t.start) continue;
      requests_.push_back({t.asked, t.requester, 1});
      requests_.push_back({t.start, t.requester, -1});
    }
    std::sort(requests_.begin(), requests_.end(), [](const Request& a, const Request& b) {
      return std::tie(a.at, b.change) < std::tie(b.at, a.change);
    });
    wanted_.assign(req_.size(), 0);
  }

  /// When the next change can be; kTimeNever: there is none.
  Time next() const {
    Time next = kTimeNever;
    if (request_ < requests_.size()) next = requests_[request_].at;
    if (place_ < transactions_.size()) next = std::min(next, begin_of(place_));
    return next;
  }
  /// All that begins by then.
  void draw_until(Time limit) {
    for (; request_ < requests_.size() && requests_[request_].at <= limit; ++request_) {
      const Request& request = requests_[request_];
      int& wanted = wanted_[request.requester];
      wanted += request.change;
      changes_.add(req_[request.requester], request.at, wanted > 0 ? 0 : 1);
    }
    for (; place_ < transactions_.size() && begin_of(place_) <= limit; ++place_) {
      grants_(transactions_[place_]);
      pci::draw_transaction(transactions_[place_],
                            [this](pci::BusSignal signal, Time at, const pci::WireLevel& level) {
                              changes_.add(shared_[static_cast<std::size_t>(signal)], at, level);
                            });
      if (place_ + 1 == transactions_.size()) grants_.finish();
    }
  }

 private:
  struct Request {
    Time at;
    unsigned requester;
    int change;
  };
  static Signal declare(VcdFile& file, const std::string& name) {
    return file.declare(name, 1, false, true);
  }
  /// A transaction's grant comes after REQ#, and after the one before has begun.
  Time begin_of(std::size_t place) const {
    const pci::Transaction& t = transactions_[place];
    return place == 0 ? std::min(t.asked, t.start)
                      : std::min(t.start, std::max(t.asked, transactions_[place - 1].start));
  }

  Changes& changes_;
  pci::GrantSignals grants_;
  std::vector<Signal> req_, gnt_, shared_;
  std::vector<pci::Transaction> transactions_;
  std::vector<Request> requests_;
  std::vector<int> wanted_;
  std::size_t place_ = 0, request_ = 0;
};

/// One adapter.
class NicWaves {
 public:
  NicWaves(unsigned nic, VcdFile& file, Changes& changes) : changes_(changes) {
    file.open_scope(nic_name(nic));
    for (const Look& look : kNicLooks) {
      signals_.push_back(file.declare(look.name, look.bits, look.floats, look.high));
    }
    file.close_scope();
  }

  void operator()(const Event& event) {
    switch (event.kind) {
      case Kind::kPin: {
        const auto pin = static_cast<Pin>(event.code);
        const bool low = pin == Pin::kPme || pin == Pin::kIntx;
        set(static_cast<NicSignal>(event.code), event.at, (event.value != 0) != low ? 1 : 0);
        break;
      }
      case Kind::kInterrupt:
        if (event.code != kQueueInterrupt) set(NicSignal::kIntx, event.at, event.code != 0 ? 0 : 1);
        break;
      case Kind::kWireIn: frame(NicSignal::kReceiveValid, event); break;
      case Kind::kWireOut: frame(NicSignal::kTransmitValid, event); break;
      case Kind::kFifo: set(NicSignal::kReceiveFifo, event.at, event.bytes); break;
      case Kind::kTransmitFifo: set(NicSignal::kTransmitFifo, event.at, fifo_(event)); break;
      default: break;
    }
  }

 private:
  void set(NicSignal signal, Time at, std::uint64_t value) {
    changes_.add(signals_[static_cast<std::size_t>(signal)], at, value);
  }
  void frame(NicSignal valid, const Event& event) {
    set(valid, event.at, 1);
    set(valid, event.end, 0);
  }

  Changes& changes_;
  std::vector<Signal> signals_;
  TransmitLevel fifo_;
};

}  // namespace

Time write_waves(const Recorder& recorder, const Scene& scene, VcdFile& file) {
  Changes changes(file);
  std::deque<BusWaves> buses;
  std::deque<NicWaves> nics;
  std::vector<std::size_t> place_of(scene.board_of_nic.size());
  for (unsigned board = 0; board < boards_of(scene); ++board) {
    file.open_scope(board_name(board));
    if (scene.approximately_timed) {
      buses.emplace_back(scene, board, file, changes).load(recorder.transactions(board));
    }
    for (const unsigned nic : nics_of(scene, board)) {
      place_of[nic] = nics.size();
      nics.emplace_back(nic, file, changes);
    }
    file.close_scope();
  }
  bool started = false;
  Time begin{};
  const auto reach = [&](Time at) {
    for (;;) {
      Time next = kTimeNever;
      for (const BusWaves& bus : buses) next = std::min(next, bus.next());
      const Time until = std::min(next, at);
      if (until == kTimeNever) return;
      if (!std::exchange(started, true)) {
        begin = until;
        file.start(until);
      }
      if (next > at) return;
      for (BusWaves& bus : buses) bus.draw_until(next);
      changes.write_before(next);
    }
  };
  recorder.visit([&](const Event& event) {
    reach(event.at);
    changes.write_before(event.at);
    if (event.nic != kNoNic) nics[place_of[event.nic]](event);
  });
  reach(kTimeNever);
  if (!started) file.start(kTimeZero);
  changes.write_before(kTimeNever);
  file.close(changes.latest());
  return begin;
}

namespace {

// What GTKWave's save files call them.
constexpr const char* kBinary = "@28\n";
constexpr const char* kHexadecimal = "@22\n";
constexpr const char* kDecimal = "@24\n";
constexpr const char* kCurve = "@88024\n";
constexpr const char* kCurveHeight = "@20000\n-\n-\n";
constexpr const char* kGroupBegin = "@800200\n-";
constexpr const char* kGroupEnd = "@1000200\n-";

std::string entry(const std::string& scope, const Look& look, unsigned bits) {
  const std::string name =
      scope + look.name + (bits > 1 ? "[" + std::to_string(bits - 1) + ":0]" : "") + "\n";
  if (look.analog) return kCurve + name + kCurveHeight;
  if (bits == 1) return kBinary + name;
  return (bits == kMasterBits ? kDecimal : kHexadecimal) + name;
}

std::string group(const std::string& name, const std::string& entries) {
  return kGroupBegin + name + "\n" + entries + kGroupEnd + name + "\n";
}

std::string nic_group(const std::string& board, unsigned nic) {
  std::string entries;
  for (const NicSignal signal :
       {NicSignal::kIntx, NicSignal::kReceiveValid, NicSignal::kTransmitValid,
        NicSignal::kReceiveFifo, NicSignal::kTransmitFifo, NicSignal::kLink, NicSignal::kLed0,
        NicSignal::kLed1, NicSignal::kLed2, NicSignal::kLed3, NicSignal::kPme}) {
    const Look& look = kNicLooks.at(static_cast<std::size_t>(signal));
    entries += entry(board + nic_name(nic) + ".", look, look.bits);
  }
  return group("NIC " + std::to_string(nic), entries);
}

}  // namespace

std::string gtkwave_save(const Scene& scene, const std::string& dump, Time from) {
  std::string text = std::string(kGtkwaveHeading) + " wrote this\n[dumpfile] \"" + dump +
                     "\"\n[timestart] " + std::to_string(from.count()) +
                     "\n[sst_expanded] 1\n[signals_width] 200\n";
  for (unsigned board = 0; board < boards_of(scene); ++board) {
    const std::string scope = board_name(board) + ".";
    const std::string title = boards_of(scene) == 1 ? "" : "board " + std::to_string(board) + ": ";
    if (scene.approximately_timed) {
      std::string arbitration;
      for (const std::string& master : masters_of(scene, board)) {
        for (const char* wire : {"req_n_", "gnt_n_"}) {
          arbitration += kBinary + scope + "pci." + wire + master + "\n";
        }
      }
      std::string bus;
      for (const Look& look : kBusLooks) bus += entry(scope + "pci.", look, bus_bits(scene, look));
      text += group(title + "PCI arbitration", arbitration) + group(title + "PCI bus", bus);
    }
    for (const unsigned nic : nics_of(scene, board)) text += nic_group(scope, nic);
  }
  return text;
}

}  // namespace e1000tlm::trace
