#pragma once
/// What a recorder kept, as a logic analyser would show it. No SystemC.

#include <string>

#include "e1000tlm/board/vcd_file.h"
#include "e1000tlm/trace/recorder.h"
#include "e1000tlm/trace/scene.h"

namespace e1000tlm::trace {

/// Writes a value change dump and closes it: of each board the signals of its PCI bus (see
/// pci/bus_signals.h) with REQ# and GNT# of all masters, of each adapter INTx, PME#, the LEDs,
/// link, frames on the wire and the fill of both FIFOs. Signals named _n are low when asserted.
/// Loosely timed, where masters do not contend, there is no bus to be shown. Returns
/// when the dump begins. Throws as VcdFile does.
Time write_waves(const Recorder& recorder, const Scene& scene, platform::VcdFile& file);

/// A save file for GTKWave that shows a dump in groups, from a time on. `dump`: as GTKWave is to
/// find it.
std::string gtkwave_save(const Scene& scene, const std::string& dump, Time from);
/// Every file of gtkwave_save() begins like this; GTKWave's own do not.
inline constexpr const char* kGtkwaveHeading = "[*] e1000-sim";

}  // namespace e1000tlm::trace
