#pragma once
/// What the engines that work on queues have in common: local time, bus access that survives
/// resets and a closed bus-master gate, queues that come and go, interrupts in time.

#include <cstdint>
#include <deque>

#include <systemc>

#include "e1000tlm/virtio/bus_memory.h"
#include "e1000tlm/virtio/interrupt_unit.h"
#include "e1000tlm/virtio/net_core.h"

namespace e1000tlm::virtio {

/// Base of the engines. Their threads run ahead by up to a quantum; interrupts meanwhile are sent
/// when the kernel has caught up, at most a quantum later than their time.
///
/// Register handlers only say what is to become of a queue; the queue itself is started and stopped
/// by the engine's process, which may be in the middle of it.
class QueueEngine : public sc_core::sc_module, protected Absence, protected BusAccess {
 public:
  QueueEngine(const sc_core::sc_module_name& name, NetCore& core, InterruptUnit& interrupts);

  /// Work on a queue of this engine is to begin.
  void start_queue(unsigned index, const SplitLayout& layout, std::uint16_t base);
  /// It is to end: nothing of it is touched from now on. Index of the next chain.
  std::uint16_t stop_queue(unsigned index);
  /// All of them are to end.
  virtual void stop();
  /// The driver says that there is something in a queue.
  void notified(unsigned index);
  /// Something changed that may give the engine work.
  void wake();
  /// Bus accesses that ended with an error since power-up.
  std::uint64_t bus_errors() const { return bus_errors_; }

 protected:
  /// A queue of this engine.
  struct Work {
    Work(BusAccess& bus, const BusBursts& bursts, unsigned number)
        : memory(bus, bursts), queue(memory), index(number) {}

    BusMemory memory;
    DeviceQueue queue;
    unsigned index;
    SplitLayout layout{};
    std::uint16_t base = 0;
    bool wanted = false;       ///< as the register handlers say
    bool changed = false;      ///< the engine's process has not heard of that yet
    bool running = false;      ///< it works on the queue
    bool kicked = false;       ///< there may be something in it
    bool silent = false;       ///< the driver has been asked not to tell
    Time look_at = kTimeZero;  ///< not before
    std::uint32_t unseen = 0;  ///< used buffers that the driver does not see
  };
  enum class Outcome : std::uint8_t {
    kDone,
    kFailed,   ///< bus error
    kAborted,  ///< the queue or the device was reset meanwhile: forget what you were doing
  };

  /// One more queue, at construction.
  Work& add_queue(unsigned index);
  Work* find(unsigned index);

  bool bus_read(std::uint64_t address, Bytes to) override;
  bool bus_write(std::uint64_t address, ConstBytes from) override;

  /// Something the engine is in the middle of, which a reset makes void.
  class Passage {
   public:
    explicit Passage(const QueueEngine& engine) : engine_(engine), epoch_(engine.epoch_) {}
    /// Forget what you were doing.
    bool is_void() const { return epoch_ != engine_.epoch_; }

   private:
    const QueueEngine& engine_;
    std::uint64_t epoch_;
  };
  /// The engine is in the middle of this queue.
  class Busy {
   public:
    Busy(QueueEngine& engine, Work& work) : engine_(engine) { engine_.current_ = &work; }
    ~Busy() { engine_.current_ = nullptr; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    QueueEngine& engine_;
  };
  /// Around every wait that may take any time: the engine is not busy.
  class AtRest {
   public:
    explicit AtRest(QueueEngine& engine) : engine_(engine) { engine_.resting_ = true; }
    ~AtRest() { engine_.resting_ = false; }
    AtRest(const AtRest&) = delete;
    AtRest& operator=(const AtRest&) = delete;

   private:
    QueueEngine& engine_;
  };
  template <class Events>
  void rest(const Events& events, Time until = kTimeNever) {
    const AtRest at_rest(*this);
    time_.wait_until(events, until);
  }

  /// Starts and stops queues as the handlers have said. True: there were some.
  bool apply_changes();
  /// A queue has been started, or has ended.
  virtual void queue_changed(Work& work) { static_cast<void>(work); }
  /// Queues that may be looked at, round robin. nullptr: none now; `next`: when the first of them
  /// may be.
  Work* next_due(Time& next);
  /// A queue is to be looked at.
  bool due() const;
  /// Waits until `at`, or until the engine is told of something.
  void wait_till(Time at);

  /// Takes the next chain, as DeviceQueue::pop(); asks the driver to be silent while there are
  /// some. With kEmpty the driver will tell, and everything used has been shown.
  DeviceQueue::Pop pop(Work& work, DeviceQueue::Chain& chain);
  /// A chain goes back.
  void push(Work& work, std::uint16_t head, std::uint32_t written);
  /// Shows the driver what has been used.
  void publish(Work& work);
  /// The queue has a fault, or a bus access failed: the device needs a reset. Not after a reset.
  void fail(const Work& work, const char* what);

  /// Lets the kernel catch up with the local time; true if others have run meanwhile.
  bool sync() {
    const bool waited = time_.sync();
    tell();
    return waited;
  }
  /// Before time goes on: decides whether the engine may look ahead, and, approximately timed, lets
  /// an interrupt be seen at its time. True if others have run meanwhile.
  bool settle() {
    if (time_.loosely_timed()) return false;
    time_.look_ahead(core_.lookahead);
    if (raised_ == 0) return false;
    sync();
    return true;
  }
  /// Bus mastering is off in the middle of something: waits until that may have changed.
  virtual void wait_for_gate() { rest(wake_event_); }

  NetCore& core_;
  InterruptUnit& interrupts_;
  BusMaster master_;
  LocalTime& time_;
  sc_core::sc_event wake_event_;
  sc_core::sc_event abandoned_event_;
  bool resting_ = false;  // see AtRest
  bool changed_ = false;  // some queue has

 private:
  template <class Access>
  Outcome guarded(Access access);
  Outcome dma_read(std::uint64_t address, Bytes data);
  Outcome dma_write(std::uint64_t address, ConstBytes data);
  Outcome settle_in_passage();
  Outcome catch_up();
  /// What is under way is void.
  void abandon();
  /// Interrupts at the engine's local time.
  void raise(unsigned queue) {
    raised_ |= std::uint64_t{1} << queue;
    if (time_.ahead() == kTimeZero) tell();
  }
  void tell();
  void apply_change(Work& work);

  std::deque<Work> queues_;  // whose places stay
  std::size_t turn_ = 0;     // next_due() begins there
  Work* current_ = nullptr;
  std::uint64_t epoch_ = 0;
  std::uint64_t raised_ = 0;  // a bit for each queue
  std::uint64_t bus_errors_ = 0;
};

}  // namespace e1000tlm::virtio
