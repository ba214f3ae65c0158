#include "e1000tlm/plugs/uml/pcidev.h"

namespace e1000tlm::plugs::uml {
namespace {

constexpr unsigned kRegions = 6;

bool is_config(PciOp op) { return op == PciOp::kConfigRead || op == PciOp::kConfigWrite; }

/// What is wrong with one that is whole; empty: nothing.
std::string problem(const PciCommand& c) {
  if (c.size == 0 || c.size > kMostPciData) return std::to_string(c.size) + " bytes";
  if (is_config(c.op)) {
    // A region that is to be filled comes as a configuration write from some kernels.
    if (c.region != 0) return "configuration space of region " + std::to_string(c.region);
    const bool whole = c.size == 1 || c.size == 2 || c.size == 4 || c.size == 8;
    if (!whole) return std::to_string(c.size) + " bytes of configuration space";
    if (c.address % c.size != 0 || c.address > kPciConfigBytes - c.size) {
      return "offset " + std::to_string(c.address) + " of configuration space";
    }
    return {};
  }
  if (c.region >= kRegions) return "region " + std::to_string(c.region);
  if (c.address > ~std::uint64_t{0} - c.size) return "offset " + std::to_string(c.address);
  return {};
}

}  // namespace

std::variant<PciCommand, std::string> parse_pci_command(ConstBytes bytes) {
  if (bytes.size() < kPciHeaderBytes) {
    return "a PCI command of " + std::to_string(bytes.size()) + " bytes";
  }
  const std::uint8_t op = bytes[0];
  if (op < static_cast<std::uint8_t>(PciOp::kConfigRead) ||
      op > static_cast<std::uint8_t>(PciOp::kFill)) {
    return "a PCI command of unknown kind " + std::to_string(op);
  }
  PciCommand command;
  command.op = static_cast<PciOp>(op);
  command.region = bytes[1];
  command.size = load_le32(bytes.data() + 4);
  command.address = load_le64(bytes.data() + 8);
  std::string why = problem(command);
  if (!why.empty()) return "a PCI command about " + why;
  const ConstBytes data = bytes.subspan(kPciHeaderBytes);
  std::size_t needed = 0;
  if (command.op == PciOp::kFill) needed = 1;
  if (command.op == PciOp::kWrite || command.op == PciOp::kConfigWrite) needed = command.size;
  if (data.size() < needed) {
    return "a PCI command with " + std::to_string(data.size()) + " bytes of data where " +
           std::to_string(needed) + " belong";
  }
  command.data = data.first(needed);
  return command;
}

PciInterrupt intx_message(unsigned pin) {
  PciInterrupt bytes(kPciHeaderBytes);
  bytes[0] = static_cast<std::uint8_t>(PciOp::kIntx);
  store_le64(bytes.data() + 8, pin);
  return bytes;
}

PciInterrupt msi_message(std::uint64_t address, std::uint32_t data, unsigned bytes) {
  PciInterrupt message(kPciHeaderBytes);
  message[0] = static_cast<std::uint8_t>(PciOp::kMessage);
  store_le32(message.data() + 4, bytes);
  store_le64(message.data() + 8, address);
  for (unsigned i = 0; i < bytes; ++i) {
    message.push_back(static_cast<std::uint8_t>(data >> (8 * i)));
  }
  return message;
}

}  // namespace e1000tlm::plugs::uml
