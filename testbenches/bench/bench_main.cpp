/// Simulated frames per second of wall time: Google Benchmark over runs in child processes.

#include <array>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>

#include <systemc>

#include <benchmark/benchmark.h>

#include "e1000tlm/link/wire.h"
#include "testbenches/bench/bench_child.h"

namespace e1000tlm::bench {
namespace {

/// Returns the wall time of a frame (or register read) in seconds; 0: it failed.
double frames(benchmark::State& state, Case c) {
  double count = 0;
  double seconds = 0;
  for (auto unused : state) {
    (void)unused;
    try {
      const Measured m = measure(c);
      if (m.count < c.count) {
        state.SkipWithError("frames were lost");
        return 0;
      }
      state.SetIterationTime(m.seconds);
      count += static_cast<double>(m.count);
      seconds += m.seconds;
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
      return 0;
    }
  }
  if (c.kind == Case::Kind::kRegisterRead) {
    state.counters["ns/read"] = seconds * 1e9 / count;
    return seconds / count;
  }
  const Time slot = link::serialisation(c.size + link::kInterFrameGapBytes, link::Speed::k1000);
  state.counters["Mframes/s"] = count / seconds / 1e6;
  state.counters["x_gigabit"] = count * std::chrono::duration<double>(slot).count() / seconds;
  return seconds / count;
}

void add(const std::string& name, Case c) {
  benchmark::RegisterBenchmark(name.c_str(), [c](benchmark::State& state) { frames(state, c); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(1.0);
}

/// Frames of all adapters; the cost of one against that of one of a single adapter.
void add_switch(bool loosely, unsigned size) {
  static std::map<std::string, double> alone;  // wall seconds per frame
  const std::string accuracy = loosely ? "loose" : "approximate";
  const std::string key = std::to_string(size) + "/" + accuracy;
  for (const unsigned nics : {1U, 2U, 4U, 8U, 16U, 32U, 64U}) {
    const std::uint64_t count = loosely ? 2'000'000 : 640'000;
    const Case c{Case::Kind::kSwitch, size, loosely, count, nics};
    const std::string name = "switch/" + std::to_string(nics) + "/" + key;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [c, key](benchmark::State& state) {
                                   const double cost = frames(state, c);
                                   if (c.nics == 1) alone[key] = cost;
                                   const auto one = alone.find(key);
                                   if (one != alone.end()) {
                                     state.counters["x_cost_of_1"] = cost / one->second;
                                   }
                                 })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->MinTime(1.0);
  }
}

void add_all() {
  constexpr std::array<unsigned, 4> kSizes{64, 256, 1514, 9014};
  struct Direction {
    Case::Kind kind;
    const char* name;
  };
  constexpr std::array<Direction, 3> kDirections{{{Case::Kind::kTransmit, "transmit"},
                                                  {Case::Kind::kReceive, "receive"},
                                                  {Case::Kind::kForward, "forward"}}};
  for (const bool loosely : {true, false}) {
    const std::string accuracy = loosely ? "loose" : "approximate";
    for (const Direction& d : kDirections) {
      for (const unsigned size : kSizes) {
        const std::uint64_t count = (loosely ? 1'000'000U : 300'000U) / (size > 4096 ? 4 : 1);
        add(std::string(d.name) + "/" + std::to_string(size) + "/" + accuracy,
            {d.kind, size, loosely, count});
      }
    }
    for (const unsigned size : {64U, 1514U}) add_switch(loosely, size);
    add("register read/" + accuracy, {Case::Kind::kRegisterRead, 64, loosely, 1'000'000});
  }
}

}  // namespace
}  // namespace e1000tlm::bench

int sc_main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  e1000tlm::bench::add_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

int main(int argc, char** argv) {
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  return sc_core::sc_elab_and_sim(argc, argv);
}
