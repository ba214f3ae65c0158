/// The rings: everything that runs once per frame.
#include "e1000tlm/driver/e1000_nic.h"

#include <cstring>
#include <stdexcept>

namespace e1000tlm::driver {
namespace {

constexpr std::uint32_t kFcsBytes = 4;

/// The smallest buffer size the receiver offers that holds the frame (RCTL.BSIZE/BSEX).
std::uint32_t buffer_bytes(std::uint32_t max_frame) {
  for (const std::uint32_t size : {2048U, 4096U, 8192U, 16384U}) {
    if (max_frame + kFcsBytes <= size) return size;
  }
  throw std::invalid_argument("maximum frame of " + std::to_string(max_frame) +
                              " bytes: the 8254x takes up to 16380");
}

unsigned checked_ring(unsigned descriptors) {
  if (descriptors < 16 || descriptors > 4096 || descriptors % 8 != 0) {
    throw std::invalid_argument("ring of " + std::to_string(descriptors) +
                                " descriptors: expected a multiple of 8 from 16 to 4096");
  }
  return descriptors;
}

}  // namespace

E1000Nic::E1000Nic(Cpu& cpu, const PciDevice& pci, RamAllocator& ram, const NicSettings& settings,
                   const NicDelays& delays)
    : Nic(cpu, pci, settings),
      delays_(delays),
      // Enough to keep the receive ring full while as many received frames wait to be sent.
      rx_pool_(ram, checked_ring(settings.rx_descriptors) + settings.tx_descriptors - 2,
               buffer_bytes(settings.max_frame_bytes)),
      rx_ring_(ram.allocate(std::uint64_t{settings.rx_descriptors} * reg::desc::kBytes, 128)),
      tx_ring_(ram.allocate(
          std::uint64_t{checked_ring(settings.tx_descriptors)} * reg::desc::kBytes, 128)),
      is_82544_(pci.device_id == 0x100C),
      rx_slots_(settings.rx_descriptors),
      tx_slots_(settings.tx_descriptors) {
  tx_limit_ = settings.tx_descriptors - 1;
}

unsigned E1000Nic::receive(FrameTaker& taker, unsigned budget) {
  using namespace reg::desc;
  unsigned taken = 0;
  while (taken < budget) {
    if (rx_next_ == rx_filled_) break;
    std::array<std::uint8_t, 8> back{};  // length, checksum, status, errors, special
    cpu_.load(rx_ring_ + std::uint64_t{rx_next_} * kBytes + 8, back.data(), 8);
    const std::uint8_t status = back[4];
    if ((status & kRxDone) == 0) break;
    const std::uint32_t length = load_le16(back.data());
    const bool last = (status & kRxEop) != 0;
    const std::uint32_t trailer = settings_.strip_fcs ? 0 : kFcsBytes;
    if (!last || rx_skip_ || (back[5] & kRxErrors) != 0 || length <= trailer) {
      // One buffer holds the longest frame, so parts of frames and damaged ones are dropped.
      if (last) ++counters_.rx_errors;
      rx_skip_ = !last;
      rx_pool_.give(rx_slots_[rx_next_]);
    } else {
      if (!taker.take(rx_slots_[rx_next_], length - trailer, rx_pool_)) break;
      ++counters_.rx_frames;
      counters_.rx_bytes += length - trailer;
    }
    if (++rx_next_ == settings_.rx_descriptors) rx_next_ = 0;
    ++taken;
    cpu_.time().advance(delays_.frame_cost);
  }
  refill();
  return taken;
}

void E1000Nic::refill() {
  if (!rx_started_) return;
  std::array<std::uint8_t, reg::desc::kBytes> fresh{};
  const unsigned count = settings_.rx_descriptors;
  // One descriptor always stays empty: RDT == RDH means none.
  while (!rx_pool_.empty() && (rx_filled_ + 1) % count != rx_next_) {
    const std::uint64_t address = rx_pool_.take();
    rx_slots_[rx_filled_] = address;
    store_le64(fresh.data(), address);
    cpu_.store(rx_ring_ + std::uint64_t{rx_filled_} * reg::desc::kBytes, fresh.data(),
               reg::desc::kBytes);
    if (++rx_filled_ == count) rx_filled_ = 0;
  }
  const unsigned pending = (rx_filled_ + count - rx_tail_) % count;
  const unsigned outstanding = (rx_tail_ + count - rx_next_) % count;
  // A starving receiver is not kept waiting for a full batch.
  if (pending >= settings_.refill_batch || (pending > 0 && outstanding < settings_.refill_batch)) {
    rx_tail_ = rx_filled_;
    write(reg::kRdt, rx_tail_);
  }
}

void E1000Nic::reclaim() {
  while (tx_used_ > tx_unannounced_) {
    std::uint8_t status = 0;
    cpu_.load(tx_ring_ + std::uint64_t{tx_clean_} * reg::desc::kBytes + 12, &status, 1);
    if ((status & reg::desc::kTxDone) == 0) break;
    const TxSlot& slot = tx_slots_[tx_clean_];
    if (slot.home != nullptr) {
      slot.home->give(slot.address);
      ++counters_.tx_frames;
      counters_.tx_bytes += slot.bytes;
    }
    if (++tx_clean_ == settings_.tx_descriptors) tx_clean_ = 0;
    --tx_used_;
  }
}

void E1000Nic::put_tx(const std::uint8_t* descriptor, const TxSlot& slot) {
  cpu_.store(tx_ring_ + std::uint64_t{tx_next_} * reg::desc::kBytes, descriptor, reg::desc::kBytes);
  tx_slots_[tx_next_] = slot;
  if (++tx_next_ == settings_.tx_descriptors) tx_next_ = 0;
  ++tx_used_;
  ++tx_unannounced_;
}

bool E1000Nic::send(std::uint64_t address, std::uint32_t bytes, BufferPool& home) {
  using namespace reg::desc;
  if (tx_room() == 0) {
    flush();
    reclaim();
    if (tx_room() == 0) return false;
  }
  const std::uint32_t delay = settings_.tidv != 0 ? kTxIde : 0;
  std::array<std::uint8_t, kBytes> d{};
  store_le64(d.data(), address);
  store_le32(d.data() + 8, bytes | ((kTxEop | kTxIfcs | kTxRs | delay) << 24));
  put_tx(d.data(), {address, &home, bytes});
  cpu_.time().advance(delays_.frame_cost);
  if (tx_unannounced_ >= settings_.doorbell_batch) flush();
  return true;
}

void E1000Nic::put_context(const TxOffload& offload, std::uint32_t bytes) {
  using namespace reg::desc;
  const bool segment = offload.mss != 0;
  const unsigned transport = offload.transport_offset;
  std::uint32_t command = kTxDext | kTxRs;
  if (offload.tcp) command |= kContextTcp;
  if (offload.ipv4) command |= kContextIpv4;
  if (segment) command |= kTxTse;
  std::array<std::uint8_t, kBytes> d{};
  d[0] = offload.ip_offset;
  d[1] = static_cast<std::uint8_t>(offload.ip_offset + 10);
  store_le16(d.data() + 2, static_cast<std::uint16_t>(offload.ipv4 ? transport - 1 : 0));
  d[4] = offload.transport_offset;
  d[5] = static_cast<std::uint8_t>(transport + (offload.tcp ? 16 : 6));
  const std::uint32_t payload = segment ? bytes - offload.header_bytes : 0;
  store_le32(d.data() + 8, payload | (command << 24));
  d[13] = segment ? offload.header_bytes : 0;
  store_le16(d.data() + 14, offload.mss);
  put_tx(d.data(), {});
}

bool E1000Nic::send(std::uint64_t address, std::uint32_t bytes, BufferPool& home,
                    const TxOffload& offload) {
  using namespace reg::desc;
  if (tx_room() < 2) {
    flush();
    reclaim();
    if (tx_room() < 2) return false;
  }
  put_context(offload, bytes);
  std::uint32_t command = kTxDext | kTxEop | kTxIfcs | kTxRs;
  if (offload.mss != 0) command |= kTxTse;
  if (settings_.tidv != 0) command |= kTxIde;
  std::array<std::uint8_t, kBytes> d{};
  store_le64(d.data(), address);
  store_le32(d.data() + 8, bytes | kDataType | (command << 24));
  d[13] = static_cast<std::uint8_t>(kInsertTransport | (offload.ipv4 ? kInsertIp : 0));
  put_tx(d.data(), {address, &home, bytes});
  cpu_.time().advance(delays_.frame_cost);
  if (tx_unannounced_ >= settings_.doorbell_batch) flush();
  return true;
}

void E1000Nic::flush() {
  if (tx_unannounced_ == 0) return;
  tx_unannounced_ = 0;
  write(reg::kTdt, tx_next_);
}

bool E1000Nic::interrupt() {
  const std::uint32_t causes = read(reg::kIcr);
  if (causes == 0) {
    ++counters_.spurious;
    return false;
  }
  ++counters_.interrupts;
  write(reg::kImc, 0xFFFF'FFFF);
  masked_ = true;
  if ((causes & (reg::cause::kLsc | reg::cause::kRxseq)) != 0) check_link();
  return true;
}

bool E1000Nic::unmask() {
  using namespace reg::cause;
  masked_ = false;
  // What is in ICR interrupts at once.
  write(reg::kIms, kRxt0 | kTxdw | kRxdmt0 | kRxseq | kLsc);
  return false;
}

bool E1000Nic::idle() {
  if (tx_used_ != 0) return false;
  if (!rx_started_ || rx_next_ == rx_filled_) return true;
  std::uint8_t status = 0;
  const std::uint64_t at = rx_ring_ + std::uint64_t{rx_next_} * reg::desc::kBytes + 12;
  return !cpu_.peek(at, &status, 1) || (status & reg::desc::kRxDone) == 0;
}

}  // namespace e1000tlm::driver
