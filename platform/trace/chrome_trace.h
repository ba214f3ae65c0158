#pragma once
/// Writes what a recorder kept in the Trace Event Format, which ui.perfetto.dev and
/// chrome://tracing open. No SystemC.

#include "e1000tlm/tlm/output_file.h"
#include "e1000tlm/trace/recorder.h"

namespace e1000tlm::trace {

/// One JSON object with "traceEvents", a line each, ordered by time. Each board is a process; its
/// tracks are the bus, software's register accesses and interrupt handling, and for each adapter
/// the engines, the wire both ways and the interrupt line. Arrows follow each frame. Throws as
/// OutputFile does.
void write_chrome_trace(const Recorder& recorder, OutputFile& file);

}  // namespace e1000tlm::trace
