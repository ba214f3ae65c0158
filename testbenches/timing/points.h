#pragma once
/// The measurements that have one right answer each.

#include <vector>

#include "testbenches/timing/machine.h"
#include "testbenches/timing/report.h"

namespace e1000tlm::timing {

/// How much to do: everything, or a few points of each kind in a few seconds.
enum class Extent : unsigned char { kAll, kSmoke };

/// Clocks of every kind of tenure that an adapter makes, on each bus and with each target.
std::vector<Point> bus_points(Extent extent);

/// Back-to-back distances on the wire and propagation, to the picosecond.
std::vector<Point> wire_points(Extent extent);
/// Guaranteed distances of interrupts.
std::vector<Point> interrupt_points(Extent extent);
/// What has been measured of real cards.
std::vector<Point> published_points(Extent extent);
/// Hosts that were fitted to measurements, against these.
std::vector<Point> host_points();
/// What has been measured of hosts and cards and was not used for any fit.
std::vector<Point> unfitted_points(Extent extent);
/// Table of the hosts by name.
Rows host_table();

}  // namespace e1000tlm::timing
