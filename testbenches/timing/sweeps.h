#pragma once
/// Curves: what an architect would ask the model.

#include "testbenches/timing/points.h"
#include "testbenches/timing/report.h"

namespace e1000tlm::timing {

/// Frames a second by size, bus and direction.
void throughput(Report& report, Extent extent);
/// Last bit on the wire to software, and interrupts a second, by ITR, RDTR and RADV.
void moderation(Report& report, Extent extent);
/// What a slow poller loses, by ring size.
void ring_sizes(Report& report, Extent extent);
/// One adapter, and two on the same bus.
void shared_bus(Report& report, Extent extent);
/// Up to four ports on PCI-X beside figures of a real four-port card, under other conditions.
void four_ports(Report& report, Extent extent);
/// Targets that disconnect.
void disconnects(Report& report, Extent extent);

}  // namespace e1000tlm::timing
