#pragma once
/// What the transmit and the receive DMA engine have in common: local time, bus access that
/// survives resets and a closed bus-master gate, interrupt causes in time, the on-chip descriptor
/// cache.

#include <array>
#include <cstdint>
#include <cstring>

#include <systemc>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/dma/descriptor_ring.h"

namespace e1000tlm::e1000 {

/// Up to 64 descriptors on chip (manual 3.2.4, 3.4), oldest first.
class DescriptorCache {
 public:
  static constexpr std::uint32_t kCapacity = 64;

  std::uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::uint32_t room() const { return kCapacity - count_; }
  void clear() { first_ = count_ = 0; }
  std::uint8_t* front() { return raw(first_); }
  void pop() {
    ++first_;
    --count_;
  }
  /// Where the next `n` <= room() descriptors go; added() makes them count.
  Bytes append(std::uint32_t n) {
    if (first_ + count_ + n > kCapacity) {
      std::memmove(raw(0), raw(first_), count_ * kDescriptorBytes);
      first_ = 0;
    }
    return {raw(first_ + count_), n * kDescriptorBytes};
  }
  void added(std::uint32_t n) { count_ += n; }

 private:
  std::uint8_t* raw(std::uint32_t i) { return bytes_.data() + i * kDescriptorBytes; }

  std::array<std::uint8_t, kCapacity * kDescriptorBytes> bytes_{};
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
};

/// Processed descriptors that wait for their write-back, contiguous in the ring.
class WriteBackQueue {
 public:
  std::uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == DescriptorCache::kCapacity; }
  std::uint32_t first() const { return first_; }
  void clear() { count_ = 0; }
  /// `index`: the descriptor's place in the ring; follows the one before.
  void push(std::uint32_t index, const std::uint8_t* raw) {
    if (count_ == 0) first_ = index;
    std::memcpy(bytes_.data() + count_ * kDescriptorBytes, raw, kDescriptorBytes);
    ++count_;
  }
  ConstBytes bytes() const { return {bytes_.data(), count_ * kDescriptorBytes}; }

 private:
  std::array<std::uint8_t, DescriptorCache::kCapacity * kDescriptorBytes> bytes_{};
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
};

/// 64 bytes, the cache line size that chip sets of the time program.
inline constexpr std::uint32_t kDescriptorsPerLine = 4;

/// Thresholds of RXDCTL and TXDCTL in descriptors (manual 13.4.46, 13.4.43).
struct DescriptorThresholds {
  std::uint32_t prefetch, host, write_back;

  static DescriptorThresholds decode(std::uint32_t dctl) {
    // GRAN = 0 counts in cache lines.
    const std::uint32_t unit = (dctl & dctl::kGran) != 0 ? 1 : kDescriptorsPerLine;
    return {(dctl & dctl::kPthreshMask) * unit,
            ((dctl >> dctl::kHthreshShift) & dctl::kPthreshMask) * unit,
            ((dctl >> dctl::kWthreshShift) & dctl::kPthreshMask) * unit};
  }
};

/// Base of both engines. Their threads run ahead by up to a quantum; causes they raise meanwhile
/// are published when the kernel has caught up, at most a quantum later than their time.
class DmaEngine : public sc_core::sc_module, protected Absence {
 public:
  DmaEngine(const sc_core::sc_module_name& name, Core& core);

  /// Something changed at local time `at` that may give the engine work.
  void wake(Time at);

  /// Bus accesses that ended with an error since power-up.
  std::uint64_t dma_errors() const { return dma_errors_; }
  /// A descriptor fetch failed; the engine rests until its ring is set up anew or it is reset.
  bool halted() const { return halted_; }

 protected:
  enum class Outcome : std::uint8_t {
    kDone,
    kFailed,   ///< bus error
    kAborted,  ///< reset or ring set up anew meanwhile: forget what you were doing
  };
  Outcome dma_read(std::uint64_t address, Bytes data);
  Outcome dma_write(std::uint64_t address, ConstBytes data, std::uint32_t padding = 0);

  /// Does the cache want more descriptors, if there are any? (manual 3.2.4, 3.4.1)
  bool wants_descriptors(const DescriptorThresholds& thresholds) const {
    return cache_.empty() || cache_.count() < thresholds.prefetch;
  }
  /// Fetches descriptors into the cache by the threshold rules. `ring.head` .. are the registers'.
  Outcome fetch(const DescriptorRing& ring, std::uint32_t in_flight,
                const DescriptorThresholds& thresholds);

  /// Something the engine is in the middle of, which a reset or a ring set up anew makes void.
  class Passage {
   public:
    explicit Passage(const DmaEngine& engine) : engine_(engine), epoch_(engine.epoch_) {}
    /// Forget what you were doing.
    bool is_void() const { return epoch_ != engine_.epoch_; }

   private:
    const DmaEngine& engine_;
    std::uint64_t epoch_;
  };

  /// Around every wait that may take any time: the engine is not busy.
  class AtRest {
   public:
    explicit AtRest(DmaEngine& engine) : engine_(engine) { engine_.resting_ = true; }
    ~AtRest() { engine_.resting_ = false; }
    AtRest(const AtRest&) = delete;
    AtRest& operator=(const AtRest&) = delete;

   private:
    DmaEngine& engine_;
  };
  /// Waits for one of the events, at most until `until`, which counts as rest: nothing is to be
  /// done until somebody else acts or a frame comes.
  template <class Events>
  void rest(const Events& events, Time until = kTimeNever) {
    const AtRest at_rest(*this);
    time_.wait_until(events, until);
  }
  /// Lets the kernel catch up with the local time; true if others have run meanwhile. Causes are
  /// published.
  bool sync() {
    const bool waited = time_.sync();
    publish();
    return waited;
  }
  /// Ditto.
  Outcome catch_up() {
    const Passage passage(*this);
    sync();
    return passage.is_void() ? Outcome::kAborted : Outcome::kDone;
  }
  /// Before time goes on: decides whether the engine may look ahead, and, approximately timed, lets
  /// a cause that has been raised be seen at its time. True if others have run meanwhile.
  bool settle() {
    if (time_.loosely_timed()) return false;
    time_.look_ahead(core_.lookahead);
    if (causes_ == 0) return false;
    sync();
    return true;
  }

  /// Ditto in the middle of something.
  Outcome settle_in_passage() {
    const Passage passage(*this);
    return settle() && passage.is_void() ? Outcome::kAborted : Outcome::kDone;
  }

  /// Bus mastering is off in the middle of something: waits until that may have changed.
  virtual void wait_for_gate() { rest(wake_event_); }

  /// RXDCTL or TXDCTL was written: what is gathered may be as much as is wanted now.
  void gathering_changed(std::uint32_t dctl);

  /// Raises causes at the engine's local time.
  void raise(std::uint32_t causes) {
    causes_ |= core_.interrupts.unset(causes);
    if (time_.ahead() == kTimeZero) publish();
  }
  void publish() {
    if (causes_ == 0) return;
    const std::uint32_t causes = causes_;
    causes_ = 0;
    core_.interrupts.set(causes);
  }

  /// The ring registers were written or the device is reset: whatever is under way is void.
  void abandon();

  Core& core_;
  BusMaster master_;
  LocalTime& time_;
  sc_core::sc_event wake_event_;
  sc_core::sc_event abandoned_event_;  // by abandon()
  DescriptorCache cache_;
  WriteBackQueue write_back_;
  std::uint64_t epoch_ = 0;
  bool halted_ = false;
  bool write_back_due_ = false;  // without an interrupt that would not have come anyway
  bool resting_ = false;         // see AtRest
  Time wake_time_ = kTimeZero;

 private:
  template <class Access>
  Outcome guarded(Access access);
  std::uint32_t fetch_size(const DescriptorRing& ring, std::uint32_t index,
                           std::uint32_t available) const;

  std::uint32_t causes_ = 0;
  std::uint64_t dma_errors_ = 0;
};

}  // namespace e1000tlm::e1000
