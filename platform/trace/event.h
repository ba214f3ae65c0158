#pragma once
/// What a recorder keeps: one plain type for everything that the blocks of a board announce. No
/// SystemC.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "e1000tlm/pci/timing.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::trace {

/// What happened. What the fields of Event mean for each is said here.
enum class Kind : std::uint8_t {
  kWireIn,              ///< a frame to the NIC: at to end; bytes with FCS; code 1: MAC control
  kWireOut,             ///< a frame from the NIC, as kWireIn; value is the length of its headers
  kBus,                 ///< an access: asked, at (address phase) to end; command, use
  kRegister,            ///< software's access to a register: as kBus, value is the offset
  kReceived,            ///< a frame was stored: asked is its first bit, at its last; bytes with FCS
  kDrop,                ///< the same, but it was lost; code is the e1000::Drop
  kReceiveDescriptor,   ///< filled: value is its index, code 1 if it ends a frame
  kTransmitDescriptor,  ///< begun: value is its index, bytes of its data; code: see below
  kInterrupt,  ///< the line: code 1 asserted, 0 released; value: causes; bytes 1: held back by ITR
  kFifo,       ///< receive FIFO: bytes in it from now on; code 1: a reset emptied it
  kRing,       ///< code 0 receive, 1 transmit: bytes is the descriptors hardware owns
  kTransmitFifo,  ///< transmit FIFO: code 0 bytes in it when a frame is complete, 1 bytes that
                  ///< leave
  kTimer,         ///< code: a Timer; value: a TimerStep. ITR: at to end is its interval
  kPause,         ///< code 1 sent, 0 received: obeyed from at to end; value: quanta
  kPhy,           ///< a register access by MDIC, asked to end: value register, bytes data
  kEeprom,        ///< a word, at to end: value its address, bytes data; code as kPhy
  kPin,           ///< code: a Pin; value: its level. Only kept for waveforms
  kCount
};

/// Event::code of kPhy and kEeprom, bits: written, not read.
inline constexpr std::uint8_t kWritten = 1;
/// Nobody answered.
inline constexpr std::uint8_t kNoAnswer = 2;
/// EEPROM: bit by bit through EECD.
inline constexpr std::uint8_t kByPins = 4;

/// Timers of an adapter.
enum class Timer : std::uint8_t { kReceiveDelay, kTransmitDelay, kThrottling };
/// Their names, by Timer.
inline constexpr std::array<std::string_view, 3> kTimerNames{"RDTR/RADV", "TIDV/TADV", "ITR"};
/// What a timer did.
enum class TimerStep : std::uint8_t { kStarted, kExpired, kCancelled };

/// Levels of an adapter's pins, and whether it has link.
enum class Pin : std::uint8_t {
  kLed0,
  kLed1,
  kLed2,
  kLed3,
  kLink,
  kPme,
  kIntx  ///< of adapters whose kInterrupt tells of queues
};

// Of a virtio device, values are above those of an e1000.
/// Event::code of kDrop: this and the virtio::NetDrop.
inline constexpr std::uint8_t kVirtioDrops = 64;
/// Event::value of kRegister: this and the offset in the modern BAR.
inline constexpr std::uint32_t kVirtioRegisters = 1U << 24;
/// Event::value of kReceiveDescriptor and kTransmitDescriptor: this, queue << 16, and the buffer's
/// first descriptor.
inline constexpr std::uint64_t kQueueBuffer = std::uint64_t{1} << 48;
/// Event::code of kInterrupt: the driver was told of used buffers of the queue in Event::value; of
/// levels it says nothing.
inline constexpr std::uint8_t kQueueInterrupt = 2;

/// Names of kinds in --trace-filter, by Kind.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::kCount)> kKindNames{
    "wire-in", "wire-out", "bus",       "registers", "received", "drops",
    "rx-desc", "tx-desc",  "interrupt", "fifo",      "rings",    "tx-fifo",
    "timers",  "pause",    "phy",       "eeprom",    "pins"};

/// What an access on the bus was for.
enum class Use : std::uint8_t {
  kProgrammed,         ///< by software: registers, configuration
  kReceiveFetch,       ///< receive descriptors read
  kReceiveWriteBack,   ///< the same written
  kReceiveData,        ///< a received frame
  kTransmitFetch,      ///< transmit descriptors read
  kTransmitWriteBack,  ///< the same written
  kTransmitData,       ///< a frame to send
  kCount
};
/// Names of uses, by Use.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(Use::kCount)> kUseNames{
    "registers",    "receive descriptors read",  "receive descriptors written",
    "receive data", "transmit descriptors read", "transmit descriptors written",
    "transmit data"};

/// One event. Places count from 0 over all boards.
struct Event {
  /// When it began, or was.
  Time at{};
  /// When it ended; of what takes no time, the same.
  Time end{};
  /// kBus, kRegister: REQ#.
  Time asked{};
  /// kBus: how long the bus was busy since it was last announced.
  Time busy{};
  /// See Kind; kBus: address.
  std::uint64_t value = 0;
  /// See Kind.
  std::uint32_t bytes = 0;
  /// Adapter, of all boards; kBus: of software's accesses to no adapter kNoNic.
  std::uint16_t nic = 0;
  /// Board.
  std::uint16_t board = 0;
  /// What happened.
  Kind kind = Kind::kBus;
  /// See Kind.
  std::uint8_t code = 0;
  /// kBus, kRegister: the first tenure's.
  pci::Command command = pci::Command::kMemoryRead;
  /// kBus: what for.
  Use use = Use::kProgrammed;
};

/// Event::code of kTransmitDescriptor: it ends a packet.
inline constexpr std::uint8_t kEndsPacket = 1;
/// The packet is to be cut into segments.
inline constexpr std::uint8_t kSegments = 2;
/// A context: it has no data.
inline constexpr std::uint8_t kContext = 4;

/// Event::nic of what belongs to none.
inline constexpr std::uint16_t kNoNic = 0xFFFF;

/// As the bus's manuals write it.
std::string_view command_name(pci::Command command);
/// "rx_no_buffer" by Event::code of kDrop.
std::string_view drop_name(std::uint8_t code);
/// "descriptor 3", "queue 1, buffer 17" by Event::value of kReceiveDescriptor.
std::string descriptor_name(std::uint64_t value);
/// What an event of kInterrupt is for: cause_names(), or "queue 3".
std::string interrupt_name(const Event& event);
/// "TDT", "RA[3]", "+1f00h" by offset from BAR 0; of a virtio device "device_status", "notify 3".
std::string register_name(std::uint32_t offset);
/// "RXT0 TXDW" of ICR's bits.
std::string cause_names(std::uint32_t causes);

/// The kinds that a recorder keeps, a bit each.
class Filter {
 public:
  /// Everything.
  Filter() = default;
  /// Names separated by commas; -NAME takes one away from everything else. Throws
  /// std::invalid_argument naming what is not known.
  static Filter parse(const std::string& text);
  /// Nothing.
  static Filter nothing() {
    Filter filter;
    filter.kinds_ = 0;
    return filter;
  }
  /// Is this kind kept?
  bool passes(Kind kind) const { return (kinds_ >> static_cast<unsigned>(kind) & 1U) != 0; }

 private:
  std::uint32_t kinds_ = ~0U;
};

/// Waveforms show these.
constexpr bool is_in_waves(Kind kind) {
  return kind == Kind::kWireIn || kind == Kind::kWireOut || kind == Kind::kInterrupt ||
         kind == Kind::kFifo || kind == Kind::kTransmitFifo || kind == Kind::kPin;
}

/// All names that Filter::parse() takes, for help texts.
std::string filter_names();

}  // namespace e1000tlm::trace
