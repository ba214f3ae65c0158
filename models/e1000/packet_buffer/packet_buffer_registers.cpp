#include "e1000tlm/e1000/packet_buffer/packet_buffer_registers.h"

#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

/// The five registers of a FIFO, in the order of their offsets.
constexpr std::uint32_t kStride = reg::kRdft - reg::kRdfh;
static_assert(reg::kRdfpc - reg::kRdfh == 4 * kStride && reg::kTdfpc - reg::kTdfh == 4 * kStride);

}  // namespace

PacketBufferRegisters::PacketBufferRegisters(Core& core, FifoUser& receive, FifoUser& transmit)
    : core_(core), receive_{&receive, reg::kRdfh}, transmit_{&transmit, reg::kTdfh} {
  connect<&PacketBufferRegisters::receive_>();
  connect<&PacketBufferRegisters::transmit_>();
  core_.bank.on_view<&PacketBufferRegisters::window_view>(reg::kPbm, this);
  core_.bank.on_read<&PacketBufferRegisters::window_read>(reg::kPbm, this);
  core_.bank.on_write<&PacketBufferRegisters::window_written>(reg::kPbm, this);
}

template <PacketBufferRegisters::Half PacketBufferRegisters::*kHalf>
void PacketBufferRegisters::connect() {
  using Self = PacketBufferRegisters;
  using P = FifoPointers;
  RegisterBank& bank = core_.bank;
  const std::uint32_t head = (this->*kHalf).head;
  bank.on_view<&Self::view<kHalf, &P::head>>(head, this);
  bank.on_view<&Self::view<kHalf, &P::tail>>(head + kStride, this);
  bank.on_view<&Self::view<kHalf, &P::head_saved>>(head + 2 * kStride, this);
  bank.on_view<&Self::view<kHalf, &P::tail_saved>>(head + 3 * kStride, this);
  bank.on_view<&Self::view<kHalf, &P::packets>>(head + 4 * kStride, this);
  bank.on_write<&Self::written<kHalf, &P::head>>(head, this);
  bank.on_write<&Self::written<kHalf, &P::tail>>(head + kStride, this);
  bank.on_write<&Self::written<kHalf, &P::head_saved>>(head + 2 * kStride, this);
  bank.on_write<&Self::written<kHalf, &P::tail_saved>>(head + 3 * kStride, this);
  bank.on_write<&Self::written<kHalf, &P::packets>>(head + 4 * kStride, this);
}

void PacketBufferRegisters::reset() {
  receive_.written_at.reset();
  transmit_.written_at.reset();
}

template <PacketBufferRegisters::Half PacketBufferRegisters::*kHalf,
          PacketBufferRegisters::Pointer kPointer>
std::uint32_t PacketBufferRegisters::view(std::uint32_t, std::uint32_t stored) const {
  const Half& half = this->*kHalf;
  return shows_written(half) ? stored : half.user->fifo_pointers(now()).*kPointer;
}

template <PacketBufferRegisters::Half PacketBufferRegisters::*kHalf,
          PacketBufferRegisters::Pointer kPointer>
void PacketBufferRegisters::written(std::uint32_t, std::uint32_t value) {
  Half& half = this->*kHalf;
  if (!half.user->fifo_at_rest(now())) {
    half.written_at.reset();
    return;
  }
  if (!shows_written(half)) {
    FifoPointers pointers = half.user->fifo_pointers(now());
    pointers.*kPointer = value;
    store_pointers(half, pointers);
  }
  PacketFifo& fifo = half.user->fifo();
  fifo.move_to(core_.bank[half.head + kStride]);
  half.written_at = fifo.entered();
}

void PacketBufferRegisters::store_pointers(const Half& half, const FifoPointers& pointers) {
  std::uint32_t offset = half.head;
  for (const std::uint32_t value :
       {pointers.head, pointers.tail, pointers.head_saved, pointers.tail_saved, pointers.packets}) {
    core_.bank.poke(offset, value);
    offset += kStride;
  }
}

std::uint32_t PacketBufferRegisters::window_view(std::uint32_t index, std::uint32_t stored) const {
  for (const Half* half : {&receive_, &transmit_}) {
    const PacketFifo& fifo = half->user->fifo();
    if (fifo.recording() || fifo.occupied() == 0) continue;
    for (const FifoContent& content : half->user->fifo_contents()) {
      if (const auto dword = fifo.dword_of(content, 4 * index)) return *dword;
    }
  }
  return stored;
}

void PacketBufferRegisters::window_read(std::uint32_t) { record(); }

void PacketBufferRegisters::window_written(std::uint32_t index, std::uint32_t value) {
  record();
  core_.bank[reg::kPbm + 4 * index] = value;
}

/// From now on the memory itself holds all there is to see.
void PacketBufferRegisters::record() {
  for (const Half* half : {&receive_, &transmit_}) {
    PacketFifo& fifo = half->user->fifo();
    if (fifo.recording()) continue;
    fifo.record();
    for (const FifoContent& content : half->user->fifo_contents()) fifo.store(content);
  }
}

}  // namespace e1000tlm::e1000
