#pragma once
/// Memory for what a recorder keeps: a few arrays of many megabytes. POSIX, no SystemC.

#include <cstddef>
#include <cstdlib>
#include <new>

#include <sys/mman.h>

namespace e1000tlm::trace {

/// An allocator that asks for large pages where an array takes several of them: one page fault
/// instead of 512. As with small ones, what is never written to takes no memory.
template <class T>
struct LargeMemory {
  /// See std::allocator.
  using value_type = T;
  LargeMemory() = default;
  /// Of another type: there is no state.
  template <class U>
  LargeMemory(const LargeMemory<U>&) {}

  /// So many items. Throws std::bad_alloc.
  T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    const std::size_t bytes = count * sizeof(T);
    if (bytes < kLeast) return static_cast<T*>(::operator new(bytes));
    const std::size_t whole = (bytes + kPage - 1) / kPage * kPage;
    void* const memory = std::aligned_alloc(kPage, whole);
    if (memory == nullptr) throw std::bad_alloc();
    ::madvise(memory, whole, MADV_HUGEPAGE);  // without them it is only slower
    return static_cast<T*>(memory);
  }
  /// What allocate() gave for as many.
  void deallocate(T* memory, std::size_t count) {
    if (count * sizeof(T) < kLeast) {
      ::operator delete(memory);
    } else {
      std::free(memory);
    }
  }
  /// All are alike.
  template <class U>
  friend bool operator==(const LargeMemory&, const LargeMemory<U>&) {
    return true;
  }
  /// See ==.
  template <class U>
  friend bool operator!=(const LargeMemory&, const LargeMemory<U>&) {
    return false;
  }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20U;
  static constexpr std::size_t kLeast = 4 * kPage;
};

}  // namespace e1000tlm::trace
