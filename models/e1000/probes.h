#pragma once
/// What blocks of the controller announce beside frames, descriptors and interrupts. No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/probe.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::e1000 {

/// An access to a PHY register by MDIC has ended (manual 13.4.8).
struct MdioEvent {
  Time begin;          ///< software wrote MDIC
  Time at;             ///< the management frame's end
  std::uint8_t phy;    ///< address, 0 to 31
  std::uint8_t reg;    ///< register, 0 to 31
  std::uint16_t data;  ///< read or written
  bool write;          ///< else it was read
  bool answered;       ///< false: no PHY has that address
};

/// A word of the EEPROM was read, or is being written (manual 13.4.3, 13.4.4).
struct EepromEvent {
  Time begin;          ///< it was asked for
  Time at;             ///< the data is there; the device begins to write
  std::uint16_t word;  ///< address
  std::uint16_t data;  ///< read, or to be written
  bool write;          ///< else it was read
  bool pins;           ///< by EECD, bit by bit; else by EERD
};

/// A pair of delay timers: RDTR with RADV, TIDV with TADV.
struct DelayEvent {
  /// What happened to it.
  enum class What : std::uint8_t { kStarted, kExpired, kCancelled };
  Time at;    ///< when
  What what;  ///< what
};

/// A PAUSE frame (manual 10).
struct PauseEvent {
  Time at;               ///< asked for, or received
  bool sent;             ///< by the adapter; else it obeys one
  std::uint16_t quanta;  ///< of 512 bit times; 0: go on
  Time until;            ///< received: the transmitter is silent until then
};

/// A frame is complete in the transmit FIFO.
struct TransmitFifoEvent {
  Time at;              ///< when
  std::uint32_t bytes;  ///< in the FIFO then, with this frame
};

/// The probes of the blocks that share a Core. Those of frames and interrupts are the blocks' own.
struct Probes {
  /// PHY registers.
  Probe<MdioEvent> mdio;
  /// EEPROM.
  Probe<EepromEvent> eeprom;
  /// Flow control.
  Probe<PauseEvent> pause;
  /// Transmit FIFO.
  Probe<TransmitFifoEvent> transmit_fifo;
};

}  // namespace e1000tlm::e1000
