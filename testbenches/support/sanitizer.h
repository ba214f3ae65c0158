#pragma once
/// What a test can do in an instrumented build.

namespace e1000tlm::test {

/// The undefined-behaviour sanitizer checks calls of virtual functions with the help of a pipe;
/// without descriptors it takes every object for a wrong one.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kInstrumented = true;
#else
inline constexpr bool kInstrumented = false;
#endif
inline constexpr bool kMayRunOutOfDescriptors = !kInstrumented;

}  // namespace e1000tlm::test
