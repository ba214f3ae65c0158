/// The codec of vhost-user against bytes as QEMU, DPDK and User-Mode Linux send them.

#include "e1000tlm/virtio/vhost_user.h"

#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio::vhost_user;

using Data = std::vector<std::uint8_t>;

Data message(std::uint32_t request, std::uint32_t flags, const Data& payload) {
  Data bytes(kHeaderBytes);
  store_le32(bytes.data(), request);
  store_le32(bytes.data() + 4, flags);
  store_le32(bytes.data() + 8, static_cast<std::uint32_t>(payload.size()));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

Data words(const std::vector<std::uint64_t>& values) {
  Data bytes(8 * values.size());
  for (std::size_t i = 0; i < values.size(); ++i) store_le64(bytes.data() + 8 * i, values[i]);
  return bytes;
}

std::variant<Payload, std::string> parse(const Data& bytes, std::size_t descriptors = 0,
                                         Side side = Side::kFrontEnd) {
  auto header = parse_header(ConstBytes(bytes));
  if (auto* why = std::get_if<std::string>(&header)) return *why;
  return parse_request(side, std::get<Header>(header), ConstBytes(bytes).subspan(kHeaderBytes),
                       descriptors);
}

template <class T>
T payload_of(const std::variant<Payload, std::string>& parsed) {
  if (const auto* why = std::get_if<std::string>(&parsed)) {
    ADD_FAILURE() << *why;
    return {};
  }
  const auto* value = std::get_if<T>(&std::get<Payload>(parsed));
  EXPECT_NE(value, nullptr) << "another payload";
  return value != nullptr ? *value : T{};
}

std::string why(const std::variant<Payload, std::string>& parsed) {
  const auto* text = std::get_if<std::string>(&parsed);
  return text != nullptr ? *text : "it was taken";
}

TEST(VhostUserHeader, TakesApart) {
  const auto header = std::get<Header>(parse_header(ConstBytes(message(1, 0x9, {}))));
  EXPECT_EQ(header.request, 1U);
  EXPECT_TRUE(header.need_reply);
  EXPECT_FALSE(header.reply);
  EXPECT_EQ(header.size, 0U);
  EXPECT_TRUE(std::get<Header>(parse_header(ConstBytes(message(1, 0x5, words({1}))))).reply);
}

TEST(VhostUserHeader, RefusesOtherVersionsFlagsAndEndlessLengths) {
  const auto refused = [](std::uint32_t flags, std::uint32_t size) {
    Data bytes = message(1, flags, {});
    store_le32(bytes.data() + 8, size);
    return std::get<std::string>(parse_header(ConstBytes(bytes)));
  };
  EXPECT_EQ(refused(0, 0), "a message of version 0 instead of 1");
  EXPECT_EQ(refused(2, 0), "a message of version 2 instead of 1");
  EXPECT_EQ(refused(0x11, 0), "a message with unknown flags");
  EXPECT_EQ(refused(1, 0xFFFF'FFFF), "a message of 4294967295 bytes, more than any has");
  EXPECT_EQ(refused(1, kMostPayload + 1), "a message of 2049 bytes, more than any has");
}

TEST(VhostUserRequests, NumbersAndNamesOfTheProtocol) {
  EXPECT_EQ(requests(Side::kFrontEnd).size(), 43U);
  EXPECT_EQ(requests(Side::kBackEnd).size(), 8U);
  EXPECT_EQ(request_name(Side::kFrontEnd, 5), "SET_MEM_TABLE");
  EXPECT_EQ(request_name(Side::kFrontEnd, 18), "SET_VRING_ENABLE");
  EXPECT_EQ(request_name(Side::kFrontEnd, 40), "GET_STATUS");
  EXPECT_EQ(request_name(Side::kBackEnd, 4), "BACKEND_VRING_CALL");
  EXPECT_EQ(request_name(Side::kFrontEnd, 99), "request 99");
  EXPECT_EQ(find_request(Side::kFrontEnd, 0), nullptr);
  EXPECT_EQ(find_request(Side::kFrontEnd, 44), nullptr);
  EXPECT_EQ(find_request(Side::kBackEnd, 0xFFFF'FFFF), nullptr);
}

TEST(VhostUserRequests, Numbers) {
  EXPECT_EQ(payload_of<Number>(parse(message(2, 1, words({0x1'3000'0000})))).value, 0x1'3000'0000U);
  EXPECT_EQ(why(parse(message(2, 1, {1, 2, 3}))),
            "SET_FEATURES has a payload of 3 bytes instead of 8");
  EXPECT_EQ(why(parse(message(2, 1, words({1})), 1)),
            "SET_FEATURES came with 1 descriptors, which is not right");
  EXPECT_EQ(why(parse(message(3, 1, words({1})))),
            "SET_OWNER has a payload of 8 bytes instead of 0");
  EXPECT_EQ(why(parse(message(2, 5, words({1})))), "SET_FEATURES is marked as a reply");
  EXPECT_EQ(why(parse(message(77, 1, {}))), "request 77 is unknown");
}

TEST(VhostUserRequests, Vrings) {
  const auto state = payload_of<VringState>(parse(message(8, 1, {1, 0, 0, 0, 0, 1, 0, 0})));
  EXPECT_EQ(state.index, 1U);
  EXPECT_EQ(state.num, 256U);
  const auto addr = payload_of<VringAddr>(
      parse(message(9, 1, words({0x1'0000'0003, 0x1000, 0x3000, 0x2000, ~std::uint64_t{0}}))));
  EXPECT_EQ(addr.index, 3U);
  EXPECT_EQ(addr.flags, 1U);
  EXPECT_EQ(addr.descriptors, 0x1000U);
  EXPECT_EQ(addr.used, 0x3000U);
  EXPECT_EQ(addr.available, 0x2000U);
}

TEST(VhostUserRequests, DescriptorsOfVrings) {
  const auto kick = payload_of<VringFd>(parse(message(12, 1, words({3})), 1));
  EXPECT_EQ(kick.index, 3);
  EXPECT_TRUE(kick.has_descriptor);
  EXPECT_FALSE(payload_of<VringFd>(parse(message(13, 1, words({0x102})), 0)).has_descriptor);
  EXPECT_EQ(why(parse(message(12, 1, words({3})), 0)),
            "SET_VRING_KICK came with 0 descriptors, which is not right");
  EXPECT_EQ(why(parse(message(12, 1, words({0x103})), 1)),
            "SET_VRING_KICK came with 1 descriptors, which is not right");
  EXPECT_EQ(why(parse(message(14, 1, words({0x400})), 1)), "SET_VRING_ERR sets unknown bits");
}

TEST(VhostUserMemory, TableOfOneWithRoomForTwoAsUserModeLinuxSendsIt) {
  Data payload = words({1, 0x644000, 0x8000000, 0x644000, 0x644000});
  payload.resize(72);
  const auto table = payload_of<MemoryTable>(parse(message(5, 1, payload), 1));
  ASSERT_EQ(table.regions.size(), 1U);
  EXPECT_EQ(table.regions[0].guest_address, 0x644000U);
  EXPECT_EQ(table.regions[0].size, 0x8000000U);
  EXPECT_EQ(table.regions[0].offset, 0x644000U);
}

TEST(VhostUserMemory, RefusesWhatLies) {
  const std::uint64_t top = ~std::uint64_t{0};
  EXPECT_EQ(why(parse(message(5, 1, words({2, 0, 16, 0, 0})), 2)),
            "SET_MEM_TABLE ends within its memory regions");
  EXPECT_EQ(why(parse(message(5, 1, words({9})), 9)),
            "SET_MEM_TABLE names 9 memory regions, more than 8");
  EXPECT_EQ(why(parse(message(5, 1, words({0xFFFF'FFFF})), 0)),
            "SET_MEM_TABLE names 4294967295 memory regions, more than 8");
  EXPECT_EQ(why(parse(message(5, 1, words({1, 0, 0, 0, 0})), 1)),
            "SET_MEM_TABLE names a memory region without size");
  for (const auto& region :
       {std::vector<std::uint64_t>{1, top, 2, 0, 0}, {1, 0, 2, top, 0}, {1, 0, 2, 0, top}}) {
    EXPECT_EQ(why(parse(message(5, 1, words(region)), 1)),
              "SET_MEM_TABLE names a memory region that ends beyond 2^64");
  }
  EXPECT_EQ(why(parse(message(5, 1, words({2, 0, 32, 0, 0, 31, 32, 32, 0})), 2)),
            "SET_MEM_TABLE names memory regions that overlap");
  EXPECT_EQ(payload_of<MemoryTable>(parse(message(5, 1, words({2, 0, 32, 0, 0, 32, 32, 32, 0})), 2))
                .regions.size(),
            2U);
  EXPECT_EQ(why(parse(message(5, 1, words({1, 0, 16, 0, 0})), 2)),
            "SET_MEM_TABLE came with 2 descriptors, which is not right");
}

TEST(VhostUserMemory, SingleRegions) {
  EXPECT_EQ(payload_of<MemoryRegion>(parse(message(37, 1, words({0, 4096, 64, 8, 0})), 1)).size,
            64U);
  EXPECT_EQ(payload_of<MemoryRegion>(parse(message(38, 1, words({0, 4096, 64, 8, 0})), 0)).size,
            64U);
  EXPECT_EQ(why(parse(message(37, 1, words({0, 4096, 64, 8, 0})), 0)),
            "ADD_MEM_REG came with 0 descriptors, which is not right");
}

TEST(VhostUserRequests, LogWithAndWithoutDescriptor) {
  EXPECT_EQ(payload_of<Log>(parse(message(6, 1, words({4096, 8})), 1)).size, 4096U);
  EXPECT_EQ(payload_of<Number>(parse(message(6, 1, words({4096})), 0)).value, 4096U);
  EXPECT_EQ(why(parse(message(6, 1, Data(12)), 1)),
            "SET_LOG_BASE has a payload of 12 bytes instead of 8 to 16");
}

TEST(VhostUserRequests, ConfigurationSpace) {
  const Data good = {2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9};
  const auto config = payload_of<Config>(parse(message(24, 1, good)));
  EXPECT_EQ(config.offset, 2U);
  EXPECT_EQ(config.data, (Data{7, 8, 9}));
  const Data lies = {0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9};
  EXPECT_EQ(why(parse(message(24, 1, lies))),
            "GET_CONFIG says that it has 4 bytes of configuration space, and has 3");
  const Data beyond = {0xFE, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9};
  EXPECT_EQ(why(parse(message(24, 1, beyond))),
            "GET_CONFIG goes beyond 256 bytes of configuration space");
}

TEST(VhostUserBackEnd, RequestsHaveNumbersOfTheirOwn) {
  const Data call = message(4, 9, {1, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(payload_of<VringState>(parse(call, 0, Side::kBackEnd)).index, 1U);
  EXPECT_EQ(encode(BackendRequest::kVringCall, VringState{1, 0}, true), call);
  EXPECT_EQ(why(parse(message(9, 1, {}), 0, Side::kBackEnd)), "request 9 is unknown");
  EXPECT_EQ(payload_of<VringArea>(parse(message(3, 1, words({0x100, 0, 0})), 0, Side::kBackEnd))
                .index_and_flags,
            0x100U);
  EXPECT_EQ(why(parse(message(3, 1, words({0, 4096, 0})), 0, Side::kBackEnd)),
            "BACKEND_VRING_HOST_NOTIFIER_MSG came with 0 descriptors, which is not right");
}

std::variant<Payload, std::string> reply(Request asked, const Data& bytes,
                                         std::size_t descriptors = 0) {
  Header question;
  question.request = static_cast<std::uint32_t>(asked);
  const auto header = std::get<Header>(parse_header(ConstBytes(bytes)));
  return parse_reply(Side::kFrontEnd, question, header, ConstBytes(bytes).subspan(kHeaderBytes),
                     descriptors);
}

TEST(VhostUserReplies, AnswersAndAcknowledgements) {
  EXPECT_EQ(payload_of<Number>(reply(Request::kGetFeatures, message(1, 5, words({7})))).value, 7U);
  EXPECT_EQ(payload_of<Number>(reply(Request::kSetMemTable, message(5, 5, words({0})))).value, 0U);
  const auto base = reply(Request::kGetVringBase, message(11, 5, {1, 0, 0, 0, 9, 0, 0, 0}));
  EXPECT_EQ(payload_of<VringState>(base).num, 9U);
  EXPECT_TRUE(std::holds_alternative<None>(
      std::get<Payload>(reply(Request::kGetConfig, message(24, 5, {})))));
}

TEST(VhostUserReplies, RefusesWhatIsNone) {
  EXPECT_EQ(why(reply(Request::kGetFeatures, message(1, 1, words({7})))),
            "reply to GET_FEATURES is not marked as one");
  EXPECT_EQ(why(reply(Request::kGetFeatures, message(15, 5, words({7})))),
            "reply to GET_FEATURES is one to GET_PROTOCOL_FEATURES");
  EXPECT_EQ(why(reply(Request::kGetFeatures, message(1, 5, {1}))),
            "reply to GET_FEATURES has a payload of 1 bytes instead of 8");
  EXPECT_EQ(why(reply(Request::kGetFeatures, message(1, 5, words({7})), 1)),
            "reply to GET_FEATURES came with 1 descriptors, which is not right");
}

TEST(VhostUserEncoding, SaysWhatTheParserUnderstands) {
  EXPECT_EQ(encode(Request::kSetOwner), message(3, 1, {}));
  EXPECT_EQ(encode(Request::kSetFeatures, Number{0x123}, true), message(2, 9, words({0x123})));
  EXPECT_EQ(encode(Request::kSetVringKick, VringFd{1, false}), message(12, 1, words({0x101})));
  const MemoryTable table{{{0x1000, 0x2000, 0x7000, 0x10}}};
  EXPECT_EQ(encode(Request::kSetMemTable, table),
            message(5, 1, words({1, 0x1000, 0x2000, 0x7000, 0x10})));
  EXPECT_EQ(encode(Request::kSetVringAddr, VringAddr{1, 0, 0x10, 0x30, 0x20, 0}),
            message(9, 1, words({1, 0x10, 0x30, 0x20, 0})));
  Header asked;
  asked.request = 11;
  EXPECT_EQ(encode_reply(asked, VringState{1, 9}), message(11, 5, {1, 0, 0, 0, 9, 0, 0, 0}));
}

TEST(VhostUserText, LogsWithNames) {
  const auto text = [](const Data& bytes, std::size_t descriptors) {
    return describe(Side::kFrontEnd, std::get<Header>(parse_header(ConstBytes(bytes))),
                    std::get<Payload>(parse(bytes, descriptors)));
  };
  EXPECT_EQ(text(message(8, 9, {0, 0, 0, 0, 0, 1, 0, 0}), 0),
            "SET_VRING_NUM index=0 num=256 need_reply");
  EXPECT_EQ(text(message(2, 1, words({0x1'3000'0000})), 0), "SET_FEATURES 0x130000000");
  EXPECT_EQ(text(message(5, 1, words({1, 0x1000, 0x2000, 0x7000, 0})), 1),
            "SET_MEM_TABLE regions=1 [guest=0x1000 size=0x2000 user=0x7000 offset=0x0]");
  EXPECT_EQ(text(message(12, 1, words({0x101})), 0), "SET_VRING_KICK index=1 without descriptor");
  Header header;
  header.request = 1;
  header.reply = true;
  EXPECT_EQ(describe(Side::kFrontEnd, header, Number{16}), "reply to GET_FEATURES 0x10");
}

}  // namespace
