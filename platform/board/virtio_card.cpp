#include "e1000tlm/board/virtio_card.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <tlm>

#include "e1000tlm/board/nic_slot.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/virtio/pci_layout.h"

namespace e1000tlm::platform {
namespace {

namespace layout = virtio::pci_layout;

/// The wire is that of a gigabit adapter; there is nothing to negotiate.
constexpr unsigned kMbitPerSecond = 1000;

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

/// A field of the modern BAR.
struct Field {
  std::string_view name;
  std::uint32_t offset;
  unsigned bytes;  ///< 1, 2 or 4
};
constexpr Field common(std::string_view name, unsigned offset, unsigned bytes) {
  return {name, layout::kCommonAt + offset, bytes};
}
constexpr Field device(std::string_view name, unsigned offset, unsigned bytes) {
  return {name, layout::kDeviceAt + offset, bytes};
}
/// In the order of their addresses.
constexpr std::array<Field, 29> kFields{{
    common("device_feature_select", layout::common::kDeviceFeatureSelect, 4),
    common("device_feature", layout::common::kDeviceFeature, 4),
    common("driver_feature_select", layout::common::kDriverFeatureSelect, 4),
    common("driver_feature", layout::common::kDriverFeature, 4),
    common("msix_config", layout::common::kConfigVector, 2),
    common("num_queues", layout::common::kQueues, 2),
    common("device_status", layout::common::kStatus, 1),
    common("config_generation", layout::common::kGeneration, 1),
    common("queue_select", layout::common::kQueueSelect, 2),
    common("queue_size", layout::common::kQueueSize, 2),
    common("queue_msix_vector", layout::common::kQueueVector, 2),
    common("queue_enable", layout::common::kQueueEnable, 2),
    common("queue_notify_off", layout::common::kQueueNotifyOffset, 2),
    common("queue_desc_lo", layout::common::kQueueDescriptors, 4),
    common("queue_desc_hi", layout::common::kQueueDescriptors + 4, 4),
    common("queue_avail_lo", layout::common::kQueueAvailable, 4),
    common("queue_avail_hi", layout::common::kQueueAvailable + 4, 4),
    common("queue_used_lo", layout::common::kQueueUsed, 4),
    common("queue_used_hi", layout::common::kQueueUsed + 4, 4),
    common("queue_reset", layout::common::kQueueReset, 2),
    {"isr", layout::kIsrAt, 1},
    device("mac_lo", virtio::net::config::kMac, 4),
    device("mac_hi", virtio::net::config::kMac + 4, 2),
    device("status", virtio::net::config::kStatus, 2),
    device("max_virtqueue_pairs", virtio::net::config::kMostPairs, 2),
    device("mtu", virtio::net::config::kMtu, 2),
    device("speed", virtio::net::config::kSpeed, 4),
    device("duplex", virtio::net::config::kDuplex, 1),
    device("supported_hash_types", virtio::net::config::kHashTypes, 4),
}};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

VirtioCard::VirtioCard(const NicConfig& config, const NicPlace& place, const pci::BusSpeed&)
    : irq_("irq") {
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
}

VirtioCard::~VirtioCard() = default;

void VirtioCard::connect(link::CableEndIf& end) {
  end_ = &end;
  device_->wire(end);
}

std::string VirtioCard::model() const {
  return std::string(kNicModelNames[static_cast<std::size_t>(NicModel::kVirtioNet)]);
}

CardLink VirtioCard::link() const {
  if (!end_->link_up()) return {};
  return {true, kMbitPerSecond, true};
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
  for (const Field& field : kFields) names.emplace_back(field.name);
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
  const auto found = std::find_if(kFields.begin(), kFields.end(),
                                  [&](const Field& field) { return field.name == wanted; });
  if (found == kFields.end()) {
    throw std::invalid_argument("'" + name + "': the " + model() +
                                " has no register of this name; the method registers lists them");
  }
  return {{wanted, debug_value(found->offset, found->bytes)}};
}

void VirtioCard::finish(std::vector<std::string>&) {}

void check_virtio_bus(const NicConfig&, const std::string&, const pci::BusSpeed&) {}

VirtioCard* virtio_card(NicSlot& slot) { return dynamic_cast<VirtioCard*>(&slot.card()); }

}  // namespace e1000tlm::platform
