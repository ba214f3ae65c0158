/// Whatever User-Mode Linux sends, the codecs end: with a message whose parts lie within what came
/// and whose numbers are in range, or with why not; and a guest's clock never goes back. The first
/// byte says which: a stream of time messages, or one PCI command.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "e1000tlm/plugs/uml/pcidev.h"
#include "e1000tlm/plugs/uml/time_travel.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::plugs::uml;

void require(bool holds) {
  if (!holds) std::abort();
}

void try_time(ConstBytes rest) {
  GuestClock clock;
  std::uint64_t now = 0;
  while (rest.size() >= kTimeMessageBytes) {
    const auto parsed = parse_time_message(rest.first(kTimeMessageBytes));
    rest = rest.subspan(kTimeMessageBytes);
    const auto* message = std::get_if<TimeMessage>(&parsed);
    if (message == nullptr) {
      require(!std::get<std::string>(parsed).empty());
      return;
    }
    require(!to_string(*message).empty());
    const auto result = clock.take(*message, now, 1);
    if (std::holds_alternative<std::string>(result)) return;
    if (const auto* ack = std::get_if<TimeMessage>(&result)) {
      require(ack->op == TimeOp::kAck && ack->number == message->number);
    }
    require(clock.wish() <= kTimeForever);
    require(!clock.waiting() || clock.started());
    // A controller that lets every guest go on at once.
    if (clock.waiting() && clock.answered() && clock.wish() != kTimeForever) {
      require(clock.wish() >= now);
      now = clock.wish();
      require(clock.run().time == now);
      require(!clock.waiting());
    }
  }
}

void try_command(ConstBytes bytes) {
  const auto parsed = parse_pci_command(bytes);
  const auto* command = std::get_if<PciCommand>(&parsed);
  if (command == nullptr) {
    require(!std::get<std::string>(parsed).empty());
    return;
  }
  require(command->size >= 1 && command->size <= kMostPciData && command->region < 6);
  require(command->address + command->size > command->address);
  const bool config = command->op == PciOp::kConfigRead || command->op == PciOp::kConfigWrite;
  require(!config || command->address + command->size <= kPciConfigBytes);
  const bool writes = command->op == PciOp::kWrite || command->op == PciOp::kConfigWrite;
  require(!writes || command->data.size() == command->size);
  require(command->op != PciOp::kFill || command->data.size() == 1);
  require(command->data.empty() ||
          (command->data.data() >= bytes.data() &&
           command->data.data() + command->data.size() <= bytes.data() + bytes.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ConstBytes rest(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    try_time(rest);
  } else {
    try_command(rest);
  }
  return 0;
}
