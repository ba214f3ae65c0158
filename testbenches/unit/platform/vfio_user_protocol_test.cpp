/// The codec, from byte strings.

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/plugs/vfio_user/config_view.h"
#include "e1000tlm/plugs/vfio_user/protocol.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

using Data = std::vector<std::uint8_t>;

/// Little-endian fields of 2, 4 or 8 bytes, one after the other.
class Body {
 public:
  Body& u16(std::uint16_t v) { return add(v, 2); }
  Body& u32(std::uint32_t v) { return add(v, 4); }
  Body& u64(std::uint64_t v) { return add(v, 8); }
  Body& text(const std::string& t) {
    data_.insert(data_.end(), t.begin(), t.end());
    data_.push_back(0);
    return *this;
  }
  const Data& data() const { return data_; }

 private:
  Body& add(std::uint64_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) data_.push_back(static_cast<std::uint8_t>(v >> (8 * i)));
    return *this;
  }
  Data data_;
};

std::variant<Request, Refusal> parse(Command command, const Body& body, std::size_t fds = 0) {
  Header header;
  header.command = static_cast<std::uint16_t>(command);
  return parse_request(header, body.data(), fds);
}

template <class T>
T accepted(Command command, const Body& body, std::size_t fds = 0) {
  const auto result = parse(command, body, fds);
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    ADD_FAILURE() << refusal->why;
    return T{};
  }
  return std::get<T>(std::get<Request>(result));
}

Refusal refused(Command command, const Body& body, std::size_t fds = 0) {
  const auto result = parse(command, body, fds);
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  ADD_FAILURE() << "it was accepted";
  return {};
}

TEST(VfioUserHeader, Fields) {
  const Body bytes = Body().u16(7).u16(9).u32(32).u32(0x10).u32(0);
  const auto header = std::get<Header>(parse_header(bytes.data()));
  EXPECT_EQ(header.id, 7);
  EXPECT_EQ(header.command, 9);
  EXPECT_EQ(header.size, 32U);
  EXPECT_TRUE(header.no_reply);
  EXPECT_FALSE(header.reply);
}

TEST(VfioUserHeader, SizesAndFlagsThatCannotBe) {
  const auto bad = [](std::uint32_t size, std::uint32_t flags) {
    const Body bytes = Body().u16(1).u16(1).u32(size).u32(flags).u32(0);
    return std::holds_alternative<std::string>(parse_header(bytes.data()));
  };
  EXPECT_FALSE(bad(16, 0));
  EXPECT_FALSE(bad(kMostMessage, 0x31));
  EXPECT_TRUE(bad(15, 0));
  EXPECT_TRUE(bad(kMostMessage + 1, 0));
  EXPECT_TRUE(bad(16, 2));
  EXPECT_TRUE(bad(16, 0x40));
}

TEST(VfioUserRequest, Version) {
  const auto version = accepted<Version>(
      Command::kVersion,
      Body().u16(0).u16(3).text(R"({"capabilities":{"max_data_xfer_size":4096}})"));
  EXPECT_EQ(version.minor, 3);
  EXPECT_EQ(version.most_data, 4096U);
  EXPECT_EQ(accepted<Version>(Command::kVersion, Body().u16(0).u16(0)).most_data, kMostData);
  EXPECT_TRUE(refused(Command::kVersion, Body().u16(1).u16(0)).fatal);
  EXPECT_TRUE(refused(Command::kVersion, Body().u16(0).u16(0).text("[1]")).fatal);
  EXPECT_TRUE(refused(Command::kVersion, Body().u16(0).u16(0).u16(0x7B7B)).fatal);
  EXPECT_TRUE(refused(Command::kVersion, Body().u16(0).u16(0), 1).fatal) << "with a descriptor";
  EXPECT_TRUE(refused(Command::kVersion, Body().u16(0)).fatal) << "too short";
}

TEST(VfioUserRequest, CapabilitiesOfTheWrongKind) {
  for (const char* text :
       {R"({"capabilities":"23"})", R"({"capabilities":{"max_msg_fds":"foo"}})",
        R"({"capabilities":{"max_msg_fds":-1}})", R"({"capabilities":{"max_data_xfer_size":0}})",
        R"({"capabilities":{"max_data_xfer_size":1.5}})", R"({"capabilities":{"migration":"23"}})",
        R"({"capabilities":{"migration":{"pgsize":"foo"}}})",
        R"({"capabilities":{"migration":{"pgsize":4095}}})",
        R"({"capabilities":{"twin_socket":true}})", "{", "\""}) {
    EXPECT_TRUE(refused(Command::kVersion, Body().u16(0).u16(0).text(text)).fatal) << text;
  }
  for (const char* text :
       {"", "{}", R"({"capabilities":{}})", R"({"more":1,"capabilities":{"unheard_of":[]}})",
        R"({"capabilities":{"migration":{"pgsize":4096},"twin_socket":{"supported":true}}})"}) {
    accepted<Version>(Command::kVersion, Body().u16(0).u16(0).text(text));
  }
}

TEST(VfioUserRequest, SizesThatAreTooSmallForTheAnswer) {
  const Body zero = Body().u32(0).u32(0).u32(0).u32(0);
  EXPECT_EQ(refused(Command::kGetInfo, zero).error, EINVAL);
  EXPECT_FALSE(refused(Command::kGetInfo, zero).fatal);
  EXPECT_EQ(refused(Command::kGetInfo, Body().u32(16).u32(0)).error, EINVAL);
  accepted<GetInfo>(Command::kGetInfo, Body().u32(32).u32(0).u32(0).u32(0));
  EXPECT_EQ(refused(Command::kGetIrqInfo, zero).error, EINVAL);
  EXPECT_EQ(refused(Command::kGetRegionInfo, Body().u32(8).u32(0).u64(0).u64(0).u64(0)).error,
            EINVAL);
  EXPECT_EQ(refused(Command::kDmaUnmap, Body().u32(8).u32(0).u64(0).u64(4096)).error, EINVAL);
  EXPECT_EQ(refused(Command::kSetIrqs, Body().u32(3).u32(0x21).u32(0).u32(0).u32(0)).error, EINVAL);
  EXPECT_EQ(accepted<GetRegionIoFds>(Command::kGetRegionIoFds, Body().u32(512).u32(0).u32(2).u32(0))
                .index,
            2U);
  EXPECT_EQ(refused(Command::kGetRegionIoFds, Body().u32(512).u32(0).u32(2).u32(1)).error, EINVAL);
}

TEST(VfioUserRequest, DmaMap) {
  const auto map = accepted<DmaMap>(
      Command::kDmaMap, Body().u32(32).u32(3).u64(0x4000).u64(5ULL << 30).u64(0x1000), 1);
  EXPECT_TRUE(map.readable && map.writable);
  EXPECT_EQ(map.offset, 0x4000U);
  EXPECT_EQ(map.address, 5ULL << 30);
  EXPECT_EQ(map.size, 0x1000U);
  const auto with = [](std::uint32_t flags, std::uint64_t address, std::uint64_t size) {
    return Body().u32(32).u32(flags).u64(0).u64(address).u64(size);
  };
  accepted<DmaMap>(Command::kDmaMap, with(1, ~0xFFFULL, 0x1000));  // the last page of all
  EXPECT_EQ(refused(Command::kDmaMap, with(1, ~0xFFFULL, 0x1001)).error, EINVAL);
  EXPECT_EQ(refused(Command::kDmaMap, with(1, 0, 0)).error, EINVAL);
  EXPECT_EQ(refused(Command::kDmaMap, with(0, 0, 1)).error, EINVAL);
  EXPECT_EQ(refused(Command::kDmaMap, with(0x10, 0, 1)).error, EINVAL);
  EXPECT_EQ(refused(Command::kDmaMap, with(3, 0, 1), 2).error, EINVAL) << "two descriptors";
  EXPECT_EQ(refused(Command::kDmaMap, with(7, 0, 1)).error, EINVAL) << "no descriptor to map";
  EXPECT_EQ(refused(Command::kDmaMap, Body().u64(0)).error, EINVAL) << "too short";
}

TEST(VfioUserRequest, DmaUnmap) {
  const auto with = [](std::uint32_t flags, std::uint64_t address, std::uint64_t size) {
    return Body().u32(24).u32(flags).u64(address).u64(size);
  };
  EXPECT_EQ(accepted<DmaUnmap>(Command::kDmaUnmap, with(0, 0x1000, 0x2000)).size, 0x2000U);
  EXPECT_TRUE(accepted<DmaUnmap>(Command::kDmaUnmap, with(2, 0, 0)).all);
  EXPECT_EQ(refused(Command::kDmaUnmap, with(1, 0, 0x1000)).error, EINVAL);
  // As SPDK's client does.
  accepted<DmaUnmap>(Command::kDmaUnmap, with(0, 0x1000, 0x2000), 1);
  EXPECT_EQ(refused(Command::kDmaUnmap, with(2, 0, 1)).error, EINVAL);
  EXPECT_EQ(refused(Command::kDmaUnmap, with(0, 0, 0)).error, EINVAL);
}

TEST(VfioUserRequest, SetIrqs) {
  const auto with = [](std::uint32_t flags, std::uint32_t count) {
    return Body().u32(20).u32(flags).u32(0).u32(0).u32(count);
  };
  const auto set = accepted<SetIrqs>(Command::kSetIrqs, with(0x24, 1), 1);
  EXPECT_EQ(set.data, SetIrqs::Data::kEventFd);
  EXPECT_EQ(set.action, SetIrqs::Action::kTrigger);
  EXPECT_EQ(accepted<SetIrqs>(Command::kSetIrqs, with(0x12, 2).u16(0x0100)).flags,
            (Data{0x00, 0x01}));
  EXPECT_EQ(refused(Command::kSetIrqs, with(0x23, 1)).error, EINVAL);
  EXPECT_EQ(refused(Command::kSetIrqs, with(0x19, 1)).error, EINVAL);
  EXPECT_EQ(refused(Command::kSetIrqs, with(0x22, 1)).error, EINVAL) << "its flags are missing";
  EXPECT_EQ(refused(Command::kSetIrqs, with(0x22, ~0U)).error, EINVAL);
  EXPECT_EQ(refused(Command::kSetIrqs, with(0x21, 1), 1).error, EINVAL) << "a stray descriptor";
}

TEST(VfioUserRequest, Accesses) {
  const auto read = accepted<RegionRead>(Command::kRegionRead, Body().u64(8).u32(0).u32(4));
  EXPECT_EQ(read.offset, 8U);
  EXPECT_EQ(read.count, 4U);
  refused(Command::kRegionRead, Body().u64(8).u32(0).u32(0));
  refused(Command::kRegionRead, Body().u64(8).u32(0).u32(kMostData + 1));
  const Body body = Body().u64(0x3818).u32(0).u32(4).u32(0x12345678);
  const auto write = accepted<RegionWrite>(Command::kRegionWrite, body);
  EXPECT_EQ(write.data.size(), 4U);
  EXPECT_EQ(refused(Command::kRegionWrite, Body().u64(0).u32(0).u32(8).u32(1)).error, EINVAL);
  EXPECT_EQ(refused(static_cast<Command>(99), Body()).error, EINVAL);
  EXPECT_EQ(refused(static_cast<Command>(16), Body()).error, ENOTSUP) << "DEVICE_FEATURE";
  EXPECT_FALSE(refused(static_cast<Command>(99), Body(), 1).fatal);
}

TEST(VfioUserRequest, SeveralWrites) {
  const Body body = Body().u64(2).u64(0x10).u32(0).u32(4).u64(1).u64(0x14).u32(0).u32(8).u64(2);
  const auto multi = accepted<RegionWriteMulti>(Command::kRegionWriteMulti, body);
  ASSERT_EQ(multi.writes.size(), 2U);
  EXPECT_EQ(multi.writes[1].offset, 0x14U);
  EXPECT_EQ(multi.writes[1].data.size(), 8U);
  EXPECT_EQ(refused(Command::kRegionWriteMulti, Body().u64(1)).error, EINVAL);
  EXPECT_EQ(refused(Command::kRegionWriteMulti, Body().u64(1ULL << 61)).error, EINVAL);
}

TEST(VfioUserReply, Layout) {
  Header to;
  to.id = 5;
  to.command = 9;
  const Message message = read_reply(to, {0x10, 2, 4});
  const Body expected = Body().u16(5).u16(9).u32(36).u32(1).u32(0).u64(0x10).u32(2).u32(4).u32(0);
  EXPECT_EQ(message, expected.data());
  EXPECT_EQ(error_reply(to, EINVAL), Body().u16(5).u16(9).u32(16).u32(0x21).u32(EINVAL).data());
  EXPECT_EQ(region_reply(to, 0, 0x20000, true), Body()
                                                    .u16(5)
                                                    .u16(9)
                                                    .u32(48)
                                                    .u32(1)
                                                    .u32(0)
                                                    .u32(32)
                                                    .u32(3)
                                                    .u32(0)
                                                    .u32(0)
                                                    .u64(0x20000)
                                                    .u64(0)
                                                    .data());
}

TEST(VfioUserReply, AnswersToTheDoor) {
  const Body body = Body().u64(0x1000).u64(4).u32(0xAABBCCDD);
  const auto data = dma_read_data(body.data(), 0x1000, 4);
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(load_le32(data->data()), 0xAABBCCDDU);
  EXPECT_FALSE(dma_read_data(body.data(), 0x1000, 8).has_value());
  EXPECT_FALSE(dma_read_data(body.data(), 0x2000, 4).has_value());
}

pci::FunctionConfig function() {
  pci::FunctionConfig config;
  config.bars[0] = {pci::BarConfig::Kind::kMemory64, 0x20000, false};
  config.bars[2] = {pci::BarConfig::Kind::kIo, 8, false};
  config.expansion_rom_size = 0x10000;
  return config;
}

TEST(VfioUserConfigView, BaseAddressesAreKeptApart) {
  ConfigView view(function());
  EXPECT_EQ(view.read(0x10, 0xE0000004), 4U) << "not the function's";
  EXPECT_FALSE(view.write(0x10, 4, 0xFFFFFFFF));
  EXPECT_FALSE(view.write(0x14, 4, 0xFFFFFFFF));
  EXPECT_EQ(view.read(0x10, 0), 0xFFFE0004U);
  EXPECT_EQ(view.read(0x14, 0), 0xFFFFFFFFU);
  EXPECT_FALSE(view.write(0x18, 4, 0xFFFFFFFF));
  EXPECT_EQ(view.read(0x18, 0), 0xFFFFFFF9U);
  EXPECT_FALSE(view.write(0x30, 4, 0xFFFFF800));
  EXPECT_EQ(view.read(0x30, 0), 0xFFFF0000U);
  EXPECT_FALSE(view.write(0x12, 1, 0x34));
  EXPECT_EQ(view.read(0x10, 0), 0xFF340004U);
  view.reset();
  EXPECT_EQ(view.read(0x10, 0), 4U);
}

TEST(VfioUserConfigView, CommandBit10IsStored) {
  ConfigView view(function());
  EXPECT_TRUE(view.write(4, 2, 0x406));
  EXPECT_TRUE(view.intx_disabled());
  EXPECT_EQ(view.read(4, 0x02300006), 0x02300406U);
  EXPECT_TRUE(view.write(4, 1, 0)) << "the other byte";
  EXPECT_TRUE(view.intx_disabled());
  EXPECT_TRUE(view.write(5, 1, 0));
  EXPECT_FALSE(view.intx_disabled());
}

}  // namespace
}  // namespace e1000tlm::plugs::vfio_user
