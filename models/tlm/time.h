#pragma once
/// Simulated time for code that knows no SystemC.

#include <chrono>
#include <cstdint>

namespace e1000tlm {

/// Simulated time since the start of simulation, or a span of it, in picoseconds. 64 bits last 106
/// days. The SystemC kernel's resolution must be 1 ps (its default); see sc_time.h.
using Time = std::chrono::duration<std::int64_t, std::pico>;

/// No time.
inline constexpr Time kTimeZero{0};
/// "Never": later than every simulated time.
inline constexpr Time kTimeNever = Time::max();

/// Nanoseconds.
constexpr Time ns(std::int64_t n) { return Time{n * 1'000}; }
/// Microseconds.
constexpr Time us(std::int64_t n) { return Time{n * 1'000'000}; }
/// Milliseconds.
constexpr Time ms(std::int64_t n) { return Time{n * 1'000'000'000}; }

}  // namespace e1000tlm

#if __cplusplus < 201703L
#error "e1000-tlm needs C++17 or newer: use -std=c++17, and a SystemC library built with the same"
#endif
