#include "e1000tlm/board/virtio_card.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <tlm>

#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/board/virtio_fields.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/pci_layout.h"

namespace e1000tlm::platform {
namespace {

namespace layout = virtio::pci_layout;

virtio::NetDeviceConfig device_config(const NicConfig& config, const NicPlace& place) {
  virtio::NetDeviceConfig result = config.virtio;
  result.mac = config.mac.value_or(default_mac(place.number));
  return result;
}

/// What a loss says of the run.
DropKind kind_of(virtio::NetDrop reason) {
  using virtio::NetDrop;
  switch (reason) {
    case NetDrop::kRxNotReady:
    case NetDrop::kRxNoBuffer:
    case NetDrop::kRxBadFcs: return DropKind::kExpected;
    case NetDrop::kRxTooLong: return DropKind::kTooLong;
    case NetDrop::kRxFiltered: return DropKind::kFiltered;
    default: return DropKind::kFault;
  }
}

struct StatusName {
  std::uint8_t bit;
  std::string_view name;
};
constexpr std::array<StatusName, 6> kStatusNames{{
    {virtio::device_status::kAcknowledge, "ACKNOWLEDGE"},
    {virtio::device_status::kDriver, "DRIVER"},
    {virtio::device_status::kFeaturesOk, "FEATURES_OK"},
    {virtio::device_status::kDriverOk, "DRIVER_OK"},
    {virtio::device_status::kNeedsReset, "NEEDS_RESET"},
    {virtio::device_status::kFailed, "FAILED"},
}};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

VirtioCard::VirtioCard(const NicConfig& config, const NicPlace& place, const pci::BusSpeed&)
    : memory_(place.memory), irq_("irq") {
  with_context("--nic " + std::to_string(place.index), [&] {
    const virtio::NetDeviceConfig own = device_config(config, place);
    function_ = std::make_unique<pci::Function>("function", virtio::pci_profile(own));
    device_ = std::make_unique<virtio::NetDevice>("device", own);
  });
  function_->bar[layout::kModernBar].bind(device_->registers);
  if (config.virtio.interface == virtio::NetInterface::kTransitional) {
    function_->bar[layout::kLegacyBar].bind(device_->legacy);
  }
  device_->dma.socket.bind(function_->dma);
  device_->irq(irq_);
  function_->irq(irq_);
  function_->events(*device_);
  function_->vendor(*device_);
  device_->messages(*function_);
}

VirtioCard::~VirtioCard() = default;

virtio::DataPlaneOwner& VirtioCard::take(virtio::DataPlane& plane) {
  seat_taken_ = true;
  device_->set_data_plane(plane);
  return device_->data_plane_owner();
}

std::string VirtioCard::model() const {
  return std::string(kNicModelNames[static_cast<std::size_t>(NicModel::kVirtioNet)]);
}

CardLink VirtioCard::link() const {
  if (!device_->link_up()) return {};
  return {true, device_->link_speed(), device_->link_full_duplex()};
}

std::vector<CardDrop> VirtioCard::drops() const {
  std::vector<CardDrop> drops;
  for (std::size_t i = 0; i < virtio::kNetDropNames.size(); ++i) {
    const auto reason = static_cast<virtio::NetDrop>(i);
    drops.push_back({virtio::kNetDropNames[i], device_->drops(reason), kind_of(reason)});
  }
  return drops;
}

void VirtioCard::add_to(NicSummary& summary) const {
  VirtioSummary v;
  v.interface = virtio::kNetInterfaceNames[static_cast<std::size_t>(device_->config().interface)];
  for (const StatusName& status : kStatusNames) {
    if ((device_->status() & status.bit) != 0) v.status.emplace_back(status.name);
  }
  for (const virtio::net::FeatureName& feature : virtio::net::kFeatureNames) {
    if ((device_->features() & feature.bit) != 0) v.features.emplace_back(feature.name);
  }
  v.active_pairs = device_->active_pairs();
  v.data_plane = seat_taken_ ? "back-end" : "device";
  for (unsigned pair = 0; pair < device_->config().queue_pairs; ++pair) {
    const virtio::NetPairCounters& c = device_->counters(pair);
    v.pairs.push_back(
        {{c.rx_frames, c.rx_bytes}, {c.tx_frames, c.tx_bytes}, c.rx_interrupts, c.tx_interrupts});
  }
  v.fault = device_->fault();
  summary.virtio = std::move(v);
}

std::vector<std::string> VirtioCard::register_names() const {
  std::vector<std::string> names;
  for (const VirtioField& field : virtio_fields()) names.emplace_back(field.name);
  return names;
}

std::uint32_t VirtioCard::debug_value(std::uint32_t offset, unsigned bytes) {
  std::array<std::uint8_t, 4> data{};
  ::tlm::tlm_generic_payload payload;
  payload.set_read();
  payload.set_address(offset);
  payload.set_data_ptr(data.data());
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  function_->bar[layout::kModernBar]->transport_dbg(payload);
  return load_le32(data.data());
}

std::vector<std::pair<std::string, std::uint32_t>> VirtioCard::debug_read(const std::string& name) {
  const std::string wanted = lower(name);
  const auto fields = virtio_fields();
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const VirtioField& field) { return field.name == wanted; });
  if (found == fields.end()) {
    throw std::invalid_argument("'" + name + "': the " + model() +
                                " has no register of this name; the method registers lists them");
  }
  return {{wanted, debug_value(found->offset, found->bytes)}};
}

void VirtioCard::finish(std::vector<std::string>&) {}

void check_virtio_bus(const NicConfig&, const std::string& name, const pci::BusSpeed& bus) {
  if (!bus.pcix) return;
  throw std::invalid_argument("--pci " + name +
                              ": a virtio-net has no PCI-X; 32/33 to 64/66 are for it");
}

VirtioCard* virtio_card(NicSlot& slot) { return dynamic_cast<VirtioCard*>(&slot.card()); }

}  // namespace e1000tlm::platform
