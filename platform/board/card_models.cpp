/// The models of adapters that there are.
#include <array>

#include "e1000tlm/board/card.h"
#include "e1000tlm/board/e1000_card.h"
#include "e1000tlm/board/virtio_card.h"

namespace e1000tlm::platform {
namespace {

template <class Model>
std::unique_ptr<Card> make(const NicConfig& config, const NicPlace& place,
                           const pci::BusSpeed& bus) {
  return std::make_unique<Model>(config, place, bus);
}

/// By NicModel.
constexpr std::array<CardModel, kNicModelNames.size()> kModels{{
    {false, check_e1000_bus, make<E1000Card>},
    {true, check_virtio_bus, make<VirtioCard>},
}};

}  // namespace

const CardModel& card_model(NicModel model) { return kModels.at(static_cast<std::size_t>(model)); }

std::array<std::uint8_t, 6> default_mac(unsigned number) {
  const std::uint32_t low = 0x12'3456 + number;
  const auto byte = [&](unsigned shift) { return static_cast<std::uint8_t>(low >> shift); };
  return {0x52, 0x54, 0x00, byte(16), byte(8), byte(0)};
}

}  // namespace e1000tlm::platform
