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

/// The address sanitizer takes the stacks of SystemC's threads for overflows when an exception
/// passes after they have run (https://github.com/google/sanitizers/issues/189).
inline constexpr bool kMayThrowAfterThreads = !kInstrumented;

}  // namespace e1000tlm::test
