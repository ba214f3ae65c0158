#pragma once
/// Link partners that cost next to nothing themselves.

namespace e1000tlm::bench {

/// "source:frames=N,size=BYTES[,gap=BYTES][,copies=1]" and "mirror".
void register_bench_partners();

}  // namespace e1000tlm::bench
