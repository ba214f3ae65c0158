#include <algorithm>
#include <iterator>

#include "e1000tlm/virtio/vhost_user.h"

namespace e1000tlm::virtio::vhost_user {
namespace {

using K = PayloadKind;

// In the order of their numbers, which start at 1.
constexpr RequestInfo kFrontEndRequests[] = {
    {1, "GET_FEATURES", K::kNone, 0, 0, K::kNumber, 0},
    {2, "SET_FEATURES", K::kNumber, 0, 0, K::kNone, 0},
    {3, "SET_OWNER", K::kNone, 0, 0, K::kNone, 0},
    {4, "RESET_OWNER", K::kNone, 0, 0, K::kNone, 0},
    {5, "SET_MEM_TABLE", K::kMemoryTable, 0, 8, K::kNone, 0},
    {6, "SET_LOG_BASE", K::kLog, 0, 1, K::kNumber, 0},
    {7, "SET_LOG_FD", K::kNone, 1, 1, K::kNone, 0},
    {8, "SET_VRING_NUM", K::kVringState, 0, 0, K::kNone, 0},
    {9, "SET_VRING_ADDR", K::kVringAddr, 0, 0, K::kNone, 0},
    {10, "SET_VRING_BASE", K::kVringState, 0, 0, K::kNone, 0},
    {11, "GET_VRING_BASE", K::kVringState, 0, 0, K::kVringState, 0},
    {12, "SET_VRING_KICK", K::kVringFd, 0, 1, K::kNone, 0},
    {13, "SET_VRING_CALL", K::kVringFd, 0, 1, K::kNone, 0},
    {14, "SET_VRING_ERR", K::kVringFd, 0, 1, K::kNone, 0},
    {15, "GET_PROTOCOL_FEATURES", K::kNone, 0, 0, K::kNumber, 0},
    {16, "SET_PROTOCOL_FEATURES", K::kNumber, 0, 0, K::kNone, 0},
    {17, "GET_QUEUE_NUM", K::kNone, 0, 0, K::kNumber, 0},
    {18, "SET_VRING_ENABLE", K::kVringState, 0, 0, K::kNone, 0},
    {19, "SEND_RARP", K::kNumber, 0, 0, K::kNone, 0},
    {20, "NET_SET_MTU", K::kNumber, 0, 0, K::kNone, 0},
    {21, "SET_BACKEND_REQ_FD", K::kNone, 1, 1, K::kNone, 0},
    {22, "IOTLB_MSG", K::kIotlb, 0, 0, K::kNumber, 0},
    {23, "SET_VRING_ENDIAN", K::kVringState, 0, 0, K::kNone, 0},
    {24, "GET_CONFIG", K::kConfig, 0, 0, K::kConfig, 0},
    {25, "SET_CONFIG", K::kConfig, 0, 0, K::kNone, 0},
    {26, "CREATE_CRYPTO_SESSION", K::kOpaque, 0, 0, K::kOpaque, 0},
    {27, "CLOSE_CRYPTO_SESSION", K::kNumber, 0, 0, K::kNone, 0},
    {28, "POSTCOPY_ADVISE", K::kNone, 0, 0, K::kOpaque, 1},
    {29, "POSTCOPY_LISTEN", K::kNone, 0, 0, K::kNone, 0},
    {30, "POSTCOPY_END", K::kNone, 0, 0, K::kNumber, 0},
    {31, "GET_INFLIGHT_FD", K::kInflight, 0, 0, K::kInflight, 1},
    {32, "SET_INFLIGHT_FD", K::kInflight, 1, 1, K::kNone, 0},
    {33, "GPU_SET_SOCKET", K::kNone, 1, 1, K::kNone, 0},
    {34, "RESET_DEVICE", K::kNone, 0, 0, K::kNone, 0},
    {35, "VRING_KICK", K::kVringState, 0, 0, K::kNone, 0},
    {36, "GET_MAX_MEM_SLOTS", K::kNone, 0, 0, K::kNumber, 0},
    {37, "ADD_MEM_REG", K::kMemoryRegion, 1, 1, K::kNone, 0},
    {38, "REM_MEM_REG", K::kMemoryRegion, 0, 1, K::kNone, 0},
    {39, "SET_STATUS", K::kNumber, 0, 0, K::kNone, 0},
    {40, "GET_STATUS", K::kNone, 0, 0, K::kNumber, 0},
    {41, "GET_SHARED_OBJECT", K::kOpaque, 0, 0, K::kOpaque, 1},
    {42, "SET_DEVICE_STATE_FD", K::kOpaque, 1, 1, K::kNumber, 1},
    {43, "CHECK_DEVICE_STATE", K::kNone, 0, 0, K::kNumber, 0},
};

constexpr RequestInfo kBackEndRequests[] = {
    {1, "BACKEND_IOTLB_MSG", K::kIotlb, 0, 0, K::kNone, 0},
    {2, "BACKEND_CONFIG_CHANGE_MSG", K::kNone, 0, 0, K::kNone, 0},
    {3, "BACKEND_VRING_HOST_NOTIFIER_MSG", K::kVringArea, 0, 1, K::kNone, 0},
    {4, "BACKEND_VRING_CALL", K::kVringState, 0, 0, K::kNone, 0},
    {5, "BACKEND_VRING_ERR", K::kVringState, 0, 0, K::kNone, 0},
    {6, "BACKEND_SHARED_OBJECT_ADD", K::kOpaque, 0, 0, K::kNone, 0},
    {7, "BACKEND_SHARED_OBJECT_REMOVE", K::kOpaque, 0, 0, K::kNone, 0},
    {8, "BACKEND_SHARED_OBJECT_LOOKUP", K::kOpaque, 1, 1, K::kNone, 0},
};

template <std::size_t N>
constexpr bool numbered(const RequestInfo (&table)[N]) {
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i].number != i + 1) return false;
  }
  return true;
}
static_assert(numbered(kFrontEndRequests) && numbered(kBackEndRequests));

}  // namespace

gsl::span<const RequestInfo> requests(Side side) {
  if (side == Side::kFrontEnd) return kFrontEndRequests;
  return kBackEndRequests;
}

const RequestInfo* find_request(Side side, std::uint32_t number) {
  const auto table = requests(side);
  return number == 0 || number > table.size() ? nullptr : &table[number - 1];
}

std::string request_name(Side side, std::uint32_t number) {
  const RequestInfo* const info = find_request(side, number);
  return info != nullptr ? info->name : "request " + std::to_string(number);
}

}  // namespace e1000tlm::virtio::vhost_user
