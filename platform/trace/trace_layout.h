#pragma once
/// Which tracks a trace has, and what they show. No SystemC.

#include "e1000tlm/trace/recorder.h"
#include "e1000tlm/trace/scene.h"
#include "e1000tlm/trace/trace_sink.h"

namespace e1000tlm::trace {

/// Shows a sink what a recorder kept. Each board is a process; its tracks are the bus, software's
/// register accesses, and for each adapter interrupt handling, the engines, the wire both ways, the
/// interrupt line, timers, flow control, PHY and EEPROM, and counters of FIFOs and rings. Frames
/// are followed from doorbell to wire and from wire to software.
void lay_out(const Recorder& recorder, const Scene& scene, TraceSink& sink);

}  // namespace e1000tlm::trace
