#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "e1000tlm/options/nic_option.h"
#include "e1000tlm/options/options.h"

namespace e1000tlm::platform {
namespace {

namespace feature = virtio::net::feature;

std::string refusal(const std::string& text) {
  try {
    parse_nic(text);
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

TEST(NicOption, IsAnE1000UnlessItSaysSo) {
  EXPECT_EQ(parse_nic("").model, NicModel::kE1000);
  EXPECT_EQ(parse_nic("model=e1000,part=82544gc").part, e1000::Part::k82544gc);
  EXPECT_EQ(parse_nic("model=virtio-net").model, NicModel::kVirtioNet);
}

TEST(NicOption, VirtioNetHasItsDefaults) {
  const NicConfig nic = parse_nic("model=virtio-net");
  EXPECT_EQ(nic.mac, std::nullopt);
  EXPECT_EQ(nic.device, std::nullopt);
  EXPECT_EQ(nic.virtio.interface, virtio::NetInterface::kModern);
  EXPECT_EQ(nic.virtio.queue_pairs, 1U);
  EXPECT_EQ(nic.virtio.queue_size, 256U);
  EXPECT_EQ(nic.virtio.mtu, 0U);
  EXPECT_EQ(nic.virtio.masked_features, feature::kRss | feature::kHashReport | feature::kInOrder);
}

TEST(NicOption, VirtioNetTakesAllItsKeysInAnyOrder) {
  const NicConfig nic = parse_nic(
      "queues=16,mac=02:00:00:00:00:07,addr=1f,queue-size=1024,interface=transitional,mtu=9000,"
      "features=-MRG_RXBUF-csum+RSS,doorbell=1us,packet=5ns,moderation=50us,available-burst=1,"
      "descriptor-burst=64,used-batch=2,data-burst=512,transmit-fifo=64KiB,receive-fifo=128KiB,"
      "model=virtio-net");
  EXPECT_EQ(nic.model, NicModel::kVirtioNet);
  EXPECT_EQ(nic.mac, (e1000::MacAddress{2, 0, 0, 0, 0, 7}));
  EXPECT_EQ(nic.device, 31U);
  const virtio::NetDeviceConfig& v = nic.virtio;
  EXPECT_EQ(v.queue_pairs, 16U);
  EXPECT_EQ(v.queue_size, 1024U);
  EXPECT_EQ(v.interface, virtio::NetInterface::kTransitional);
  EXPECT_EQ(v.mtu, 9000U);
  EXPECT_EQ(v.masked_features,
            feature::kMergeableBuffers | feature::kCsum | feature::kHashReport | feature::kInOrder);
  EXPECT_EQ(v.timing.doorbell, us(1));
  EXPECT_EQ(v.timing.packet, ns(5));
  EXPECT_EQ(v.timing.moderation, us(50));
  EXPECT_EQ(v.timing.available_burst, 1U);
  EXPECT_EQ(v.timing.descriptor_burst, 64U);
  EXPECT_EQ(v.timing.used_batch, 2U);
  EXPECT_EQ(v.timing.data_burst, 512U);
  EXPECT_EQ(v.timing.transmit_fifo, 64U << 10);
  EXPECT_EQ(v.timing.receive_fifo, 128U << 10);
}

TEST(NicOption, KeysOfTheOtherModelAreRefusedByName) {
  for (const char* key :
       {"part=82540em", "eeprom=/x", "flash=/x", "leds=/x", "aneg=1s", "timing=8254x"}) {
    const std::string text = refusal(std::string(key) + ",model=virtio-net");
    const std::string name = std::string(key).substr(0, std::string(key).find('='));
    EXPECT_NE(text.find("'" + name + "' goes with model=e1000, not with model=virtio-net"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("known are model, mac, addr, queues"), std::string::npos) << text;
  }
  for (const char* key : {"queues=2", "queue-size=64", "interface=modern", "mtu=1500",
                          "features=-CSUM", "doorbell=1us", "packet=1ns", "moderation=1us"}) {
    const std::string text = refusal(key);
    EXPECT_NE(text.find("goes with model=virtio-net, not with model=e1000"), std::string::npos)
        << text;
  }
}

TEST(NicOption, RefusesBadValuesAndSaysWhatIsExpected) {
  const struct {
    const char* text;
    const char* says;
  } cases[] = {
      {"model=rtl8139", "unknown model 'rtl8139'; known are e1000, virtio-net"},
      {"model=virtio-net,colour=red", "unknown key 'colour'; known are model, mac"},
      {"model=virtio-net,queues=0", "queues=0: expected 1 to 16"},
      {"model=virtio-net,queues=17", "queues=17: expected 1 to 16"},
      {"model=virtio-net,queues=many", "queues=many: expected 1 to 16"},
      {"model=virtio-net,queue-size=100", "queue-size=100: expected a power of two"},
      {"model=virtio-net,queue-size=1", "queue-size=1: expected 2 to 32768"},
      {"model=virtio-net,queue-size=65536", "queue-size=65536: expected 2 to 32768"},
      {"model=virtio-net,interface=legacy", "expected one of modern, transitional"},
      {"model=virtio-net,mtu=10", "mtu=10: expected 68 to 16096"},
      {"model=virtio-net,mtu=65535", "mtu=65535: expected 68 to 16096"},
      {"model=virtio-net,features=CSUM", "expected -NAME or +NAME"},
      {"model=virtio-net,features=-", "unknown feature ''"},
      {"model=virtio-net,features=-CSUM-NONSENSE", "unknown feature 'NONSENSE'; features are CSUM"},
      {"model=virtio-net,features=-VERSION_1", "goes with interface=transitional"},
      {"model=virtio-net,queues=2,features=-MQ", "needs the features MQ and CTRL_VQ"},
      {"model=virtio-net,queues=2,features=-CTRL_VQ", "needs the features MQ and CTRL_VQ"},
      {"model=virtio-net,doorbell=soon", "soon"},
      {"model=virtio-net,moderation=1s", "1s: expected at most 10.0 ms"},
      {"model=virtio-net,available-burst=0", "0: expected 1 to 64"},
      {"model=virtio-net,transmit-fifo=1KiB", "1KiB: expected 17408 to 1048576"},
      {"model=virtio-net,queues=2,queues=3", "'queues' is given twice"},
  };
  for (const auto& c : cases) {
    EXPECT_NE(refusal(c.text).find(c.says), std::string::npos) << c.text << ": " << refusal(c.text);
  }
  EXPECT_EQ(refusal("model=virtio-net,interface=transitional,features=-VERSION_1"), "");
}

TEST(NicOption, HelpNamesEveryKeyUnderItsModel) {
  const std::string help = nic_help();
  const std::size_t e1000 = help.find("With e1000:");
  const std::size_t virtio = help.find("With virtio-net:");
  ASSERT_NE(e1000, std::string::npos);
  ASSERT_NE(virtio, std::string::npos);
  EXPECT_LT(help.find("mac=ADDRESS"), e1000);
  for (const char* key : {"part=", "eeprom=", "flash=", "leds=", "aneg=", "timing="}) {
    EXPECT_GT(help.find(key), e1000) << key;
    EXPECT_LT(help.find(key), virtio) << key;
  }
  for (const char* key : {"queues=", "queue-size=", "interface=", "mtu=", "features=", "doorbell=",
                          "packet=", "moderation=", "used-batch="}) {
    EXPECT_NE(help.find(key, virtio), std::string::npos) << key;
  }
}

TEST(NicOption, TheDocumentHasTheTableOfKeys) {
  std::stringstream document;
  const char* const path = std::getenv("E1000TLM_VIRTIO_DOC");
  if (path == nullptr) GTEST_SKIP() << "ctest tells where the document is";
  document << std::ifstream(path).rdbuf();
  const std::string table = nic_table(NicModel::kVirtioNet);
  EXPECT_NE(document.str().find("-->\n" + table + "<!--"), std::string::npos)
      << path << " has to have this table:\n"
      << table;
}

TEST(NicOption, ComesFromConfigurationFilesToo) {
  const std::string path = ::testing::TempDir() + "e1000-nic-" + std::to_string(getpid()) + ".ini";
  std::ofstream(path) << "nic=model=virtio-net,queues=4\nnic=part=82545em\n";
  const char* arguments[] = {"e1000-sim", "--config", path.c_str()};
  const BoardConfig board = parse_options(3, arguments).board;
  std::remove(path.c_str());
  ASSERT_EQ(board.nics.size(), 2U);
  EXPECT_EQ(board.nics[0].model, NicModel::kVirtioNet);
  EXPECT_EQ(board.nics[0].virtio.queue_pairs, 4U);
  EXPECT_EQ(board.nics[1].model, NicModel::kE1000);
  EXPECT_EQ(board.nics[1].part, e1000::Part::k82545em);
}

}  // namespace
}  // namespace e1000tlm::platform
