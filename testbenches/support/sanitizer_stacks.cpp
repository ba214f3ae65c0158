/// Tells the address sanitizer which stack the program is on. Linked into instrumented programs
/// only.
///
/// SystemC announces each change of stacks to the sanitizer, but for two: on the way back to the
/// main thread it knows neither place nor size, and says 0; and when a thread of SystemC's ends it
/// says nothing. The sanitizer then takes that thread's stack for the main one: exceptions look
/// like overflows, and the search for leaks runs into a guard page. The functions here stand before
/// the sanitizer's own and put it right.

#include <cstddef>
#include <cstdint>
#include <typeinfo>

#include <dlfcn.h>
#include <pthread.h>

namespace {

struct Stack {
  const void* bottom = nullptr;
  std::size_t size = 0;

  bool holds(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    const auto from = reinterpret_cast<std::uintptr_t>(bottom);
    return at >= from && at - from < size;
  }
};

Stack own_stack() {
  Stack stack;
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return stack;
  void* bottom = nullptr;
  if (pthread_attr_getstack(&attributes, &bottom, &stack.size) == 0) stack.bottom = bottom;
  pthread_attr_destroy(&attributes);
  return stack;
}

// Of the thread in which SystemC runs; its first change of stacks is away from its own.
thread_local Stack threads;
thread_local Stack announced;

using Start = void(void**, const void*, std::size_t);
using Finish = void(void*, const void**, std::size_t*);
using Throw = void(void*, std::type_info*, void (*)(void*));

template <typename Function>
Function* sanitizers(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// A thread of SystemC's may have ended meanwhile.
void correct() {
  if (threads.size == 0 || announced.bottom == threads.bottom) return;
  if (!threads.holds(__builtin_frame_address(0))) return;
  static Start* const start = sanitizers<Start>("__sanitizer_start_switch_fiber");
  static Finish* const finish = sanitizers<Finish>("__sanitizer_finish_switch_fiber");
  start(nullptr, threads.bottom, threads.size);
  finish(nullptr, nullptr, nullptr);
  announced = threads;
}

/// Before the search for leaks.
const struct AtTheEnd {
  ~AtTheEnd() { correct(); }
} at_the_end;

}  // namespace

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizer's and the runtime's names
void __sanitizer_start_switch_fiber(void** saved, const void* bottom, std::size_t size) {
  static Start* const own = sanitizers<Start>("__sanitizer_start_switch_fiber");
  if (threads.size == 0) threads = own_stack();
  announced = size == 0 ? threads : Stack{bottom, size};
  own(saved, announced.bottom, announced.size);
}

[[noreturn]] void __cxa_throw(void* exception, std::type_info* type, void (*destroy)(void*)) {
  static Throw* const own = sanitizers<Throw>("__cxa_throw");
  correct();
  own(exception, type, destroy);
  __builtin_unreachable();
}
// NOLINTEND(bugprone-reserved-identifier)

}  // extern "C"
