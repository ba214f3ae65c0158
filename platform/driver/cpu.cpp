#include "e1000tlm/driver/cpu.h"

namespace e1000tlm::driver {

Cpu::Cpu(const sc_core::sc_module_name& name, const CpuTiming& timing)
    : sc_module(name), mem("mem"), io("io"), pirq("pirq", kLines), timing_(timing) {
  SC_HAS_PROCESS(Cpu);
  acknowledged_.fill(~sc_dt::uint64{0});
  SC_THREAD(thread);
  SC_METHOD(on_line);
  dont_initialize();
  for (auto& line : pirq) sensitive << line.pos();
}

void Cpu::thread() {
  time().start();
  if (program_ != nullptr) program_->run();
}

void Cpu::on_line() {
  if (!waiting_ || edge_ != kTimeNever) return;
  edge_ = sc_now();
  if (time().loosely_timed()) {
    interrupt_.notify();
  } else {
    interrupt_.notify(to_sc(timing_.interrupt_entry));
  }
}

// Registers are seen by others: loosely timed an access happens at most a quantum before its own
// time, however long the program has worked in memory alone. With quantum 0 it sets out with its
// delay, and the bus waits until its time has come: once, for both.
void Cpu::before_register_access() {
  if (time().loosely_timed()) time().sync_if_due();
}

// DMA that ends in the picosecond at which the program goes on has been done by then, in whatever
// order the kernel runs processes.
void Cpu::let_dma_end() {
  if (time().loosely_timed() || !sc_core::sc_pending_activity_at_current_time()) return;
  sc_core::wait(sc_core::SC_ZERO_TIME);
  time().resume();
}

std::uint32_t Cpu::read32(std::uint64_t address) {
  before_register_access();
  std::uint8_t bytes[4];
  memory_.read(address, bytes);
  return load_le32(bytes);
}

void Cpu::write32(std::uint64_t address, std::uint32_t value) {
  before_register_access();
  std::uint8_t bytes[4];
  store_le32(bytes, value);
  memory_.write(address, bytes);
}

std::uint32_t Cpu::read(std::uint64_t address, unsigned bytes) {
  before_register_access();
  std::uint8_t data[4] = {};
  memory_.read(address, Bytes(data, bytes));
  return load_le32(data);
}

void Cpu::write(std::uint64_t address, std::uint32_t value, unsigned bytes) {
  before_register_access();
  std::uint8_t data[4];
  store_le32(data, value);
  memory_.write(address, ConstBytes(data, bytes));
}

std::uint32_t Cpu::in(std::uint16_t port, unsigned bytes) {
  std::uint8_t data[4] = {};
  time().sync();
  ports_.time().start();
  ports_.read(port, Bytes(data, bytes));
  ports_.time().sync();
  time().resume();
  return load_le32(data);
}

void Cpu::out(std::uint16_t port, std::uint32_t value, unsigned bytes) {
  std::uint8_t data[4];
  store_le32(data, value);
  time().sync();
  ports_.time().start();
  ports_.write(port, ConstBytes(data, bytes));
  ports_.time().sync();
  time().resume();
}

// Transactions carry the DMI hint, so that after the first one the fast path is taken.
void Cpu::slow_load(std::uint64_t address, void* data, std::uint32_t bytes) {
  memory_.read(address, Bytes(static_cast<std::uint8_t*>(data), bytes));
}

void Cpu::slow_store(std::uint64_t address, const void* data, std::uint32_t bytes) {
  memory_.write(address, ConstBytes(static_cast<const std::uint8_t*>(data), bytes));
}

std::uint8_t* Cpu::window(std::uint64_t address, std::uint32_t bytes) {
  const BusMasterPort::Region* region = mem.find(address, bytes, true);
  return region == nullptr ? nullptr : region->memory + (address - region->start);
}

bool Cpu::peek(std::uint64_t address, void* data, std::uint32_t bytes) {
  if (const BusMasterPort::Region* region = mem.find(address, bytes, false)) {
    std::memcpy(data, region->memory + (address - region->start), bytes);
    return true;
  }
  ::tlm::tlm_generic_payload payload;
  payload.set_command(::tlm::TLM_READ_COMMAND);
  payload.set_address(address);
  payload.set_data_ptr(static_cast<std::uint8_t*>(data));
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  return mem.socket->transport_dbg(payload) == bytes;
}

void Cpu::sleep(Time span) {
  time().advance(span);
  // Software sleeps for a device's sake, and the device lives on the kernel's time.
  time().sync();
  let_dma_end();
}

bool Cpu::any_line() const {
  for (unsigned i = 0; i < kLines; ++i) {
    if (line(i)) return true;
  }
  return false;
}

bool Cpu::acknowledged_now() const {
  for (unsigned i = 0; i < kLines; ++i) {
    if (pirq[i].read() && sc_core::sc_delta_count() - acknowledged_[i] < 2) return true;
  }
  return false;
}

void Cpu::wait_for_interrupt(Time until) {
  if (any_line()) return;
  // Near enough to run ahead: interrupts until then are noticed at the next synchronisation.
  if (time().loosely_timed() && until != kTimeNever && until - sc_now() < time().quantum()) {
    time().advance_to(until);
    return;
  }
  if (time().sync()) let_dma_end();
  // A line that was acknowledged at this very moment may be about to fall, or stay: the next edge
  // cannot be relied upon before that is known. Two delta cycles: the device's process, its signal.
  for (unsigned delta = 0; delta < 2 && acknowledged_now(); ++delta) {
    sc_core::wait(sc_core::SC_ZERO_TIME);
  }
  if (any_line()) return;
  waiting_ = true;
  edge_ = kTimeNever;
  time().wait_until(interrupt_, until);
  waiting_ = false;
  let_dma_end();
  interrupt_.cancel();
  if (any_line()) {
    const Time edge = edge_ != kTimeNever ? edge_ : time().now();
    time().advance_to(edge + timing_.interrupt_entry);
  } else if (until != kTimeNever) {
    time().advance_to(until);
  }
  edge_ = kTimeNever;
}

}  // namespace e1000tlm::driver
