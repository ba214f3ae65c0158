#include "e1000tlm/board/virtio_fields.h"

#include <array>
#include <sstream>

#include "e1000tlm/virtio/net.h"
#include "e1000tlm/virtio/pci_layout.h"

namespace e1000tlm::platform {
namespace {

namespace layout = virtio::pci_layout;

constexpr VirtioField common(std::string_view name, unsigned offset, unsigned bytes) {
  return {name, layout::kCommonAt + offset, bytes};
}
constexpr VirtioField device(std::string_view name, unsigned offset, unsigned bytes) {
  return {name, layout::kDeviceAt + offset, bytes};
}
constexpr std::array<VirtioField, 29> kFields{{
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

}  // namespace

gsl::span<const VirtioField> virtio_fields() { return {kFields.data(), kFields.size()}; }

std::string virtio_register_name(std::uint32_t offset) {
  for (const VirtioField& field : kFields) {
    if (offset >= field.offset && offset < field.offset + field.bytes) {
      return std::string(field.name);
    }
  }
  if (offset >= layout::kNotifyAt) {
    return "notify " + std::to_string((offset - layout::kNotifyAt) / layout::kNotifyStep);
  }
  std::ostringstream text;
  text << "+" << std::hex << offset << "h";
  return text.str();
}

}  // namespace e1000tlm::platform
