#pragma once
/// Split virtqueues (virtio 1.2, 2.7): where they are, and both sides' work on them. No SystemC.
///
/// A driver puts buffers into a queue, a device uses them and gives them back. A queue has three
/// parts: a table of descriptors, each a piece of memory, linked to chains; a ring in which the
/// driver names chains that are available; a ring in which the device names those it has used. Both
/// rings have an index that only grows (modulo 2^16).
///
/// Whatever the other side has written, nothing here reads or writes outside of what it names, runs
/// without end, or allocates while frames pass. Who breaks the rules is found out: the queue says
/// how (fault()) and does nothing more until it is started again.

#include <cstdint>
#include <gsl/span>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/ring_memory.h"

namespace e1000tlm::virtio {

/// Feature bits that concern queues (virtio 1.2, 6).
namespace ring_feature {
/// Chains may go on in a table of their own.
inline constexpr std::uint64_t kIndirect = 1ULL << 28;
/// Notices are asked for by index.
inline constexpr std::uint64_t kEventIndex = 1ULL << 29;
/// The rules of virtio 1.0 and later hold.
inline constexpr std::uint64_t kVersion1 = 1ULL << 32;
/// Single queues can be reset.
inline constexpr std::uint64_t kRingReset = 1ULL << 40;
}  // namespace ring_feature

/// Where a queue is.
struct SplitLayout {
  std::uint16_t size = 0;         ///< descriptors: a power of two, at most 32768
  std::uint64_t descriptors = 0;  ///< address of the table, a multiple of 16
  std::uint64_t available = 0;    ///< address of the available ring, a multiple of 2
  std::uint64_t used = 0;         ///< address of the used ring, a multiple of 4

  /// Most descriptors that a queue has.
  static constexpr std::uint16_t kMostSize = 32768;
  /// Bytes of the three parts (virtio 1.2, 2.7.2).
  static constexpr std::uint64_t descriptor_bytes(std::uint16_t size) { return 16ULL * size; }
  /// Bytes of the available ring, with its event index.
  static constexpr std::uint64_t available_bytes(std::uint16_t size) { return 6 + 2ULL * size; }
  /// Bytes of the used ring, with its event index.
  static constexpr std::uint64_t used_bytes(std::uint16_t size) { return 6 + 8ULL * size; }

  /// The parts one after the other from this address, a multiple of 64, on.
  static SplitLayout at(std::uint64_t address, std::uint16_t size);
  /// First address after the parts of at(), a multiple of 64.
  static std::uint64_t end_of(std::uint64_t address, std::uint16_t size);
  /// What is wrong with it; empty: nothing.
  std::string problem() const;
};

/// A descriptor (virtio 1.2, 2.7.5).
struct Descriptor {
  std::uint64_t address = 0;  ///< of the piece of memory, or of an indirect table
  std::uint32_t length = 0;   ///< its bytes
  std::uint16_t flags = 0;    ///< see below
  std::uint16_t next = 0;     ///< index of the chain's next descriptor, with kNext

  /// Size in memory.
  static constexpr std::size_t kBytes = 16;
  /// Flag: the chain goes on.
  static constexpr std::uint16_t kNext = 1;
  /// Flag: the device writes; else it reads.
  static constexpr std::uint16_t kWrite = 2;
  /// Flag: a table of descriptors with the rest of the chain is there.
  static constexpr std::uint16_t kIndirect = 4;
  /// From kBytes bytes.
  static Descriptor decode(const std::uint8_t* bytes);
  /// To kBytes bytes.
  void encode(std::uint8_t* bytes) const;
};

/// How the other side has broken the rules.
enum class RingFault : std::uint8_t {
  kNone,
  kBadLayout,          ///< see SplitLayout::problem()
  kNoMemory,           ///< a part of the queue, or an indirect table, is not in memory
  kIndexJump,          ///< an index is further ahead than the queue has room
  kBadHead,            ///< a chain begins outside of the table
  kBadNext,            ///< a chain goes on outside of its table
  kLoop,               ///< a chain is longer than its table
  kTooLong,            ///< a chain has more pieces than are taken, or more than 2^32 - 1 bytes
  kZeroLength,         ///< a piece without bytes
  kWraps,              ///< a piece that ends beyond 2^64
  kReadAfterWrite,     ///< a piece to read after one to write (virtio 1.2, 2.7.4.2)
  kIndirectRefused,    ///< an indirect table that was not agreed on
  kIndirectNested,     ///< an indirect table in another
  kIndirectContinued,  ///< a descriptor goes on after its indirect table (virtio 1.2, 2.7.5.3.1)
  kIndirectSize,       ///< an indirect table that is empty or has no whole number of descriptors
  kTwice,              ///< more chains available than the queue has descriptors
  kBadUsed,            ///< a chain came back that the device does not have
  kBadUsedLength,      ///< more was written than there was room for
};
/// "a chain is longer than its table".
const char* to_string(RingFault fault);

/// What both sides have agreed on.
struct RingOptions {
  bool event_index = false;  ///< VIRTIO_F_EVENT_IDX (virtio 1.2, 2.7.7, 2.7.10)
  bool indirect = false;     ///< VIRTIO_F_INDIRECT_DESC
  /// Most pieces of a chain with an indirect table; a chain without has at most as many as the
  /// queue has descriptors. Linux does not keep to the queue's size there, and QEMU takes 1024.
  std::uint16_t most_pieces = 1024;
};

/// A piece of memory.
struct Piece {
  std::uint64_t address = 0;  ///< its first byte
  std::uint32_t length = 0;   ///< bytes, not 0
};

/// The device's side of a queue.
class DeviceQueue {
 public:
  /// A buffer as the driver made it. Reused, it allocates nothing.
  struct Chain {
    std::uint16_t head = 0;            ///< names it in push()
    std::vector<Piece> readable;       ///< by the device, in order
    std::vector<Piece> writable;       ///< by the device, in order
    std::uint32_t readable_bytes = 0;  ///< of all readable pieces
    std::uint32_t writable_bytes = 0;  ///< of all writable pieces
  };
  /// How pop() went.
  enum class Pop : std::uint8_t { kChain, kEmpty, kBroken };

  /// `memory` must outlive the queue.
  explicit DeviceQueue(RingMemory& memory) : memory_(memory) {}

  /// Begins with the chain of that index in the available ring, and the used ring as it stands
  /// there. False: the layout or memory is impossible; see fault().
  bool start(const SplitLayout& layout, const RingOptions& options, std::uint16_t base = 0);
  /// No more work until start(). Returns the index of the next chain, for the next start().
  std::uint16_t stop();
  /// Between start() and stop(), with or without fault.
  bool started() const { return started_; }
  /// Why nothing is done any more.
  RingFault fault() const { return fault_; }

  /// The next chain that is available. With kEmpty the driver will tell of the next one, unless
  /// disable_kicks() is in force.
  Pop pop(Chain& chain);
  /// The chain that pop() gave last goes back: it will be the next again.
  void undo_pop();
  /// Gives a chain back into which the device has written so many bytes. The driver does not see it
  /// before publish(). False: fault().
  bool push(std::uint16_t head, std::uint32_t written);
  /// Shows the driver what was pushed. True: the driver wants to be told of it.
  bool publish();

  /// Asks the driver not to tell of new chains.
  void disable_kicks();
  /// Asks it to tell. True: there are some already, of which it may not have told.
  bool enable_kicks();

  /// Chains that were popped and not pushed.
  std::uint16_t in_flight() const { return in_flight_; }
  /// Index of the next chain.
  std::uint16_t next() const { return next_available_; }

 private:
  Pop fail(RingFault fault);
  bool available(std::uint16_t& count);
  struct Table {
    std::uint64_t address;
    std::uint32_t entries;
    bool indirect;
  };
  RingFault walk(Chain& chain, const Table& table, std::uint32_t first);
  RingFault walk_indirect(Chain& chain, const Descriptor& descriptor);
  RingFault take(Chain& chain, const Descriptor& descriptor) const;

  RingMemory& memory_;
  SplitLayout layout_;
  RingOptions options_;
  RingFault fault_ = RingFault::kNone;
  bool started_ = false;
  bool kicks_ = true;
  std::uint16_t armed_ = 0;  // the driver tells when it adds the chain of this index
  std::uint16_t next_available_ = 0;
  std::uint16_t known_available_ = 0;  // the driver's index as last read
  std::uint16_t next_used_ = 0;
  std::uint16_t published_ = 0;
  std::uint16_t in_flight_ = 0;
};

/// Copies what the device may read of a chain from this byte on, as much as `to` has room for. The
/// number of bytes; nullopt: some of it is not in memory.
std::optional<std::size_t> read_chain(RingMemory& memory, const DeviceQueue::Chain& chain,
                                      std::size_t offset, Bytes to);
/// Copies to what the device may write of a chain, from this byte on, as much as there is room for.
/// The number of bytes; nullopt: some of it is not in memory.
std::optional<std::size_t> write_chain(RingMemory& memory, const DeviceQueue::Chain& chain,
                                       std::size_t offset, ConstBytes from);

/// The driver's side of a queue.
class DriverQueue {
 public:
  /// A piece of a buffer.
  struct Buffer {
    std::uint64_t address = 0;   ///< its first byte
    std::uint32_t length = 0;    ///< bytes, not 0
    bool device_writes = false;  ///< all that the device writes comes after all that it reads
  };
  /// What the device has used.
  struct Used {
    std::uint16_t head = 0;     ///< as add() named it
    std::uint32_t written = 0;  ///< bytes that the device says it has written
  };
  /// How reap() went.
  enum class Reap : std::uint8_t { kUsed, kEmpty, kBroken };

  /// `memory` must outlive the queue.
  explicit DriverQueue(RingMemory& memory) : memory_(memory) {}

  /// Clears the queue in memory and begins with nothing in it. False: the layout is impossible or
  /// not in memory; see fault().
  bool start(const SplitLayout& layout, const RingOptions& options);
  /// Why nothing is done any more.
  RingFault fault() const { return fault_; }

  /// Makes a buffer of these pieces (at least one) available; the device does not see it before
  /// publish(). Its name; nullopt: there are not enough free descriptors, or fault().
  std::optional<std::uint16_t> add(gsl::span<const Buffer> pieces);
  /// Ditto with an indirect table, which is written to `table`, a multiple of 16, and may be used
  /// again when the buffer is back. Takes one descriptor of the queue; only if agreed on.
  std::optional<std::uint16_t> add_indirect(gsl::span<const Buffer> pieces, std::uint64_t table);
  /// Shows the device what was added. True: it wants to be told of it.
  bool publish();
  /// The next buffer that came back. With kEmpty the device will tell of the next one, unless
  /// disable_calls() is in force. What a device says it has written to a buffer that it may only
  /// read is not heeded: older ones count what they have read.
  Reap reap(Used& used);

  /// Asks the device not to tell of used buffers.
  void disable_calls();
  /// Asks it to tell. True: there are some already, of which it may not have told.
  bool enable_calls();
  /// Calls disabled, asks for a single one all the same: when the next buffer comes back, or with
  /// `late` and event indexes when three quarters of those that the device has now are back. True:
  /// that many are back already, of which it may not tell.
  bool request_call(bool late);

  /// Descriptors that no buffer has.
  std::uint16_t free() const { return free_; }
  /// Buffers that the device has.
  std::uint16_t in_flight() const { return in_flight_; }
  /// Index in the used ring of the next buffer to come back.
  std::uint16_t next_used() const { return next_used_; }

 private:
  bool fail(RingFault fault);
  bool used_count(std::uint16_t& count);
  bool put(std::uint64_t table, std::uint16_t index, const Descriptor& descriptor);
  std::optional<std::uint16_t> offer(std::uint16_t head, std::size_t pieces,
                                     std::uint32_t writable);

  struct Entry {
    std::uint16_t next = 0;      // free list, or chain
    std::uint16_t pieces = 0;    // of a chain, at its head; 0: not with the device
    std::uint32_t writable = 0;  // bytes, at its head
  };
  RingMemory& memory_;
  SplitLayout layout_;
  RingOptions options_;
  RingFault fault_ = RingFault::kBadLayout;
  bool calls_ = true;
  std::uint16_t armed_ = 0;  // the device tells when it gives back the buffer of this index
  std::vector<Entry> entries_;
  std::uint16_t first_free_ = 0;
  std::uint16_t free_ = 0;
  std::uint16_t in_flight_ = 0;
  std::uint16_t next_available_ = 0;
  std::uint16_t published_ = 0;
  std::uint16_t next_used_ = 0;
};

}  // namespace e1000tlm::virtio
