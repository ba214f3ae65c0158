#include "e1000tlm/trace/event.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "e1000tlm/board/virtio_fields.h"
#include "e1000tlm/e1000/drops.h"
#include "e1000tlm/e1000/registers/register_map.h"
#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/virtio/net_config.h"

namespace e1000tlm::trace {
namespace {

struct CauseName {
  std::uint32_t bit;
  std::string_view name;
};

constexpr std::array<CauseName, 8> kCauses{{{e1000::cause::kTxdw, "TXDW"},
                                            {e1000::cause::kTxqe, "TXQE"},
                                            {e1000::cause::kLsc, "LSC"},
                                            {e1000::cause::kRxseq, "RXSEQ"},
                                            {e1000::cause::kRxdmt0, "RXDMT0"},
                                            {e1000::cause::kRxo, "RXO"},
                                            {e1000::cause::kRxt0, "RXT0"},
                                            {e1000::cause::kTxdLow, "TXD_LOW"}}};

std::uint32_t bit_of(const std::string& name) {
  const auto found = std::find(kKindNames.begin(), kKindNames.end(), name);
  if (found == kKindNames.end()) {
    throw std::invalid_argument("'" + name + "': unknown kind of event; known are " +
                                filter_names());
  }
  return 1U << (found - kKindNames.begin());
}

}  // namespace

std::string_view command_name(pci::Command command) {
  switch (command) {
    case pci::Command::kIoRead: return "I/O Read";
    case pci::Command::kIoWrite: return "I/O Write";
    case pci::Command::kMemoryRead: return "Memory Read";
    case pci::Command::kMemoryWrite: return "Memory Write";
    case pci::Command::kConfigRead: return "Configuration Read";
    case pci::Command::kConfigWrite: return "Configuration Write";
    case pci::Command::kMemoryReadMultiple: return "Memory Read Multiple";
    case pci::Command::kMemoryReadLine: return "Memory Read Line";
    case pci::Command::kMemoryWriteInvalidate: return "Memory Write and Invalidate";
  }
  return "";
}

std::string register_name(std::uint32_t offset) {
  if ((offset & kVirtioRegisters) != 0)
    return platform::virtio_register_name(offset ^ kVirtioRegisters);
  for (const RegisterRow& row : e1000::register_map()) {
    if (offset < row.offset || offset >= row.offset + row.count * row.stride) continue;
    const std::uint32_t index = (offset - row.offset) / row.stride;
    if ((offset - row.offset) % row.stride >= 4) continue;
    std::string name(row.name);
    if (row.count > 1) name += "[" + std::to_string(index) + "]";
    return name;
  }
  std::ostringstream text;
  text << "+" << std::hex << offset << "h";
  return text.str();
}

std::string_view drop_name(std::uint8_t code) {
  if (code < kVirtioDrops) return e1000::kDropNames.at(code);
  return virtio::kNetDropNames.at(code - std::size_t{kVirtioDrops});
}

std::string descriptor_name(std::uint64_t value) {
  if ((value & kQueueBuffer) == 0) return "descriptor " + std::to_string(value);
  return "queue " + std::to_string((value ^ kQueueBuffer) >> 16U) + ", buffer " +
         std::to_string(value & 0xFFFFU);
}

std::string interrupt_name(const Event& event) {
  if (event.code == kQueueInterrupt) return "queue " + std::to_string(event.value);
  return cause_names(static_cast<std::uint32_t>(event.value));
}

std::string cause_names(std::uint32_t causes) {
  std::string text;
  for (const CauseName& cause : kCauses) {
    if ((causes & cause.bit) == 0) continue;
    text.append(text.empty() ? "" : " ").append(cause.name);
    causes &= ~cause.bit;
  }
  if (causes != 0) {
    std::ostringstream rest;
    rest << (text.empty() ? "" : " ") << std::hex << causes << "h";
    text += rest.str();
  }
  return text.empty() ? "none" : text;
}

Filter Filter::parse(const std::string& text) {
  std::uint32_t wanted = 0;
  std::uint32_t unwanted = 0;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    if (!word.empty() && word[0] == '-') {
      unwanted |= bit_of(word.substr(1));
    } else {
      wanted |= bit_of(word);
    }
  }
  if (wanted == 0 && unwanted == 0) throw std::invalid_argument("expected " + filter_names());
  Filter filter;
  filter.kinds_ = (wanted == 0 ? ~0U : wanted) & ~unwanted;
  return filter;
}

std::string filter_names() {
  std::string text;
  for (const std::string_view name : kKindNames) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

}  // namespace e1000tlm::trace
