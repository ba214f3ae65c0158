/// The guest's PCI commands.
#include <algorithm>

#include "e1000tlm/plugs/uml/door.h"

namespace e1000tlm::plugs::uml {

std::string Door::do_commands() {
  QueueState& queue = queues_[kCommandQueue];
  for (;;) {
    const Queue::Pop popped = queue.ring.pop(chain_);
    if (popped == Queue::Pop::kEmpty) break;
    if (popped == Queue::Pop::kBroken) return virtio::to_string(queue.ring.fault());
    const std::uint32_t written = do_command(chain_);
    if (!guest_) return {};
    if (!queue.ring.push(chain_.head, written)) return virtio::to_string(queue.ring.fault());
  }
  queue.ring.publish();
  return {};
}

/// How many bytes it has written.
std::uint32_t Door::do_command(const Queue::Chain& chain) {
  command_.resize(std::min<std::size_t>(chain.readable_bytes, kPciHeaderBytes + kMostPciData));
  if (!virtio::read_chain(ring_memory_, chain, 0, command_)) {
    ++statistics_.refused;
    remark("a PCI command that is not in memory");
    return 0;
  }
  const auto parsed = parse_pci_command(command_);
  if (const auto* why = std::get_if<std::string>(&parsed)) {
    ++statistics_.refused;
    remark(*why);
    return 0;
  }
  const auto& command = std::get<PciCommand>(parsed);
  const auto offset = static_cast<unsigned>(command.address);  // of configuration space
  touched_ = true;
  switch (command.op) {
    case PciOp::kConfigRead:
    case PciOp::kRead:
      ++statistics_.reads;
      data_.resize(command.size);
      if (command.op == PciOp::kRead) {
        port.read(command.region, command.address, data_);
      } else {
        port.read_config(offset, data_);
      }
      return reply(chain, data_);
    case PciOp::kConfigWrite:
      ++statistics_.writes;
      port.write_config(offset, command.data);
      return 0;
    case PciOp::kFill:
      ++statistics_.writes;
      data_.assign(command.size, command.data[0]);
      port.write(command.region, command.address, data_);
      return 0;
    default:
      ++statistics_.writes;
      port.write(command.region, command.address, command.data);
      return 0;
  }
}

std::uint32_t Door::reply(const Queue::Chain& chain, ConstBytes data) {
  const auto written = virtio::write_chain(ring_memory_, chain, 0, data);
  if (written && *written == data.size()) return static_cast<std::uint32_t>(*written);
  ++statistics_.refused;
  remark("a PCI command without room for " + std::to_string(data.size()) + " bytes of answer");
  return written ? static_cast<std::uint32_t>(*written) : 0;
}

}  // namespace e1000tlm::plugs::uml
