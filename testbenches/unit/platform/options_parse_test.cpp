#include <cstdio>
#include <fstream>
#include <stdexcept>

#include <gtest/gtest.h>
#include <unistd.h>

#include "e1000tlm/options/options.h"

namespace e1000tlm::platform {
namespace {

Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "e1000-sim");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

/// The message of a refused command line; empty: it was accepted.
std::string refusal(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
    return "";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

class ConfigFile {
 public:
  // Test cases run at the same time, each in a process of its own.
  explicit ConfigFile(const std::string& content)
      : path_(::testing::TempDir() + "e1000-" + std::to_string(getpid()) + ".ini") {
    std::ofstream(path_) << content;
  }
  ~ConfigFile() { std::remove(path_.c_str()); }
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

TEST(Options, NothingGivenReflectsTheBuiltInCaptureOnOne82540em) {
  const BoardConfig board = parse({}).board;
  EXPECT_EQ(board.app, AppChoice::kReflect);
  ASSERT_EQ(board.nics.size(), 1U);
  EXPECT_EQ(board.nics[0].part, e1000::Part::k82540em);
  EXPECT_EQ(board.links, std::vector<std::string>{"pcap"});
  EXPECT_EQ(board.quantum, kTimeZero);
  EXPECT_FALSE(board.duration.has_value());
}

TEST(Options, NicTakesPartMacEepromAndAutonegotiationTime) {
  const BoardConfig board = parse({"--nic", "part=82545GM,mac=02:00:00:00:00:07,aneg=2s",
                                   "--nic=eeprom=/x/y,flash=/x/z,leds=/x/l"})
                                .board;
  ASSERT_EQ(board.nics.size(), 2U);
  EXPECT_EQ(board.nics[0].part, e1000::Part::k82545gm);
  EXPECT_EQ(board.nics[0].mac, (e1000::MacAddress{2, 0, 0, 0, 0, 7}));
  EXPECT_EQ(board.nics[0].autonegotiation, ms(2000));
  EXPECT_EQ(board.nics[1].eeprom_file, "/x/y");
  EXPECT_EQ(board.nics[1].flash_file, "/x/z");
  EXPECT_EQ(board.nics[1].led_file, "/x/l");
}

TEST(Options, NicTakesTheSilicon) {
  const BoardConfig board = parse({"--nic", "timing=82543", "--nic", "timing=8254x"}).board;
  ASSERT_EQ(board.nics.size(), 2U);
  EXPECT_EQ(board.nics[0].timing.transmit_overhead, ns(380));
  EXPECT_EQ(board.nics[1].timing.transmit_overhead, kTimeZero);
}

TEST(Options, StrictIsOffUnlessAskedFor) {
  EXPECT_FALSE(parse({}).board.strict);
  EXPECT_TRUE(parse({"--strict"}).board.strict);
}

TEST(Options, SeedsHaveSixtyFourBits) {
  EXPECT_EQ(parse({"--seed", "18446744073709551615"}).board.seed, ~std::uint64_t{0});
}

TEST(Options, LinksMakeTheirAdapters) {
  const BoardConfig board = parse({"--app", "forward", "--link", "null", "--link", "null"}).board;
  EXPECT_EQ(board.nics.size(), 2U);
}

TEST(Options, AdaptersWithoutLinkGetOneThatSuitsTheApplication) {
  EXPECT_EQ(parse({"--app", "generate"}).board.links, std::vector<std::string>{"loopback"});
  EXPECT_EQ(parse({"--app", "forward"}).board.links, (std::vector<std::string>{"pcap", "null"}));
}

TEST(Options, GenerateStopsBySomethingWithoutBeingAsked) {
  EXPECT_EQ(parse({"--app", "generate"}).board.frames, 100'000U);
  EXPECT_EQ(parse({"--app", "generate", "--duration", "1ms"}).board.frames, 0U);
  EXPECT_EQ(parse({"--app", "generate", "--frames", "7"}).board.frames, 7U);
}

TEST(Options, UnitsAreUnderstood) {
  const BoardConfig board =
      parse({"--quantum", "10us", "--duration", "1.5ms", "--ram", "128MiB"}).board;
  EXPECT_EQ(board.quantum, us(10));
  EXPECT_EQ(board.duration, us(1500));
  EXPECT_EQ(board.ram_bytes, std::uint64_t{128} << 20);
}

TEST(Options, DriverSettings) {
  const driver::NicSettings set =
      parse({"--driver", "rx-ring=512,tidv=0,interrupt-rate=8000"}).board.driver;
  EXPECT_EQ(set.rx_descriptors, 512U);
  EXPECT_EQ(set.tidv, 0U);
  EXPECT_EQ(set.interrupt_rate, 8000U);
  EXPECT_EQ(set.tx_descriptors, driver::NicSettings{}.tx_descriptors);
  for (const char* bad :
       {"rx-ring=17", "rx-ring=8", "tidv=65536", "tidv=", "speed=1", "tidv=1,tidv=1"}) {
    EXPECT_THROW(parse({"--driver", bad}), std::invalid_argument) << bad;
  }
}

TEST(Options, SwitchesAndWhatHangsOnThem) {
  const BoardConfig board =
      parse({"--link", "switch:lan", "--switch",
             "lan:latency=500ns,table=16,aging=1s,queue=64k,max-frame=9018", "--switch", "wan",
             "--on-switch", "lan=pcap:out=a=b.pcapng", "--on-switch", "lan=null", "--boards", "64"})
          .board;
  ASSERT_EQ(board.switches.size(), 2U);
  EXPECT_EQ(board.switches[0].name, "lan");
  const link::SwitchConfig& lan = board.switches[0].config;
  EXPECT_EQ(lan.latency, ns(500));
  EXPECT_EQ(lan.stations, 16U);
  EXPECT_EQ(lan.aging, ms(1000));
  EXPECT_EQ(lan.queue_bytes, 65536U);
  EXPECT_EQ(lan.max_frame_bytes, 9018U);
  EXPECT_EQ(board.switches[1].config.latency, link::SwitchConfig{}.latency);
  ASSERT_EQ(board.outlets.size(), 2U);
  EXPECT_EQ(board.outlets[0].on, "lan");
  EXPECT_EQ(board.outlets[0].link, "pcap:out=a=b.pcapng");
  EXPECT_EQ(board.boards, 64U);
  EXPECT_EQ(parse({"--app", "generate", "--to", "pair"}).board.to, "pair");
}

TEST(Options, ClientsFindQemusMachine) {
  EXPECT_EQ(parse({}).board.ram_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(parse({"--qtest", "unix:/x"}).board.ram_bytes, std::uint64_t{128} << 20);
  EXPECT_EQ(parse({"--qtest", "unix:/x", "--ram", "8MiB"}).board.ram_bytes, std::uint64_t{8} << 20);
  const BoardConfig board =
      parse({"--nic", "addr=4", "--nic", "addr=0x1F", "--nic", "addr=a.0", "--nic", "aneg=1s"})
          .board;
  EXPECT_EQ(board.nics[0].device, 4U);
  EXPECT_EQ(board.nics[1].device, 31U);
  EXPECT_EQ(board.nics[2].device, 10U);
  EXPECT_EQ(board.nics[3].device, std::nullopt);
}

TEST(Options, FileHasTheSameNamesAndTheCommandLineWins) {
  const ConfigFile file("app=generate\nframes=5\nseed=9\nnic=part=82544gc\nquiet=true\n");
  const Options options = parse({"--config", file.path(), "--seed", "3"});
  EXPECT_EQ(options.board.app, AppChoice::kGenerate);
  EXPECT_EQ(options.board.frames, 5U);
  EXPECT_EQ(options.board.seed, 3U);
  EXPECT_EQ(options.board.nics[0].part, e1000::Part::k82544gc);
  EXPECT_TRUE(options.quiet);
}

TEST(Options, ListsOnTheCommandLineReplaceThoseOfTheFile) {
  const ConfigFile file("link=null\nlink=null\n");
  EXPECT_EQ(parse({"--config", file.path()}).board.links.size(), 2U);
  EXPECT_EQ(parse({"--config", file.path(), "--link", "loopback"}).board.links,
            std::vector<std::string>{"loopback"});
}

TEST(Options, BadFileIsNamedWithItsBadLine) {
  const ConfigFile file("aap=reflect\n");
  const std::string message = refusal({"--config", file.path()});
  EXPECT_NE(message.find(file.path()), std::string::npos) << message;
  EXPECT_NE(message.find("aap"), std::string::npos) << message;
  EXPECT_NE(refusal({"--config", "/no/such.ini"}).find("/no/such.ini"), std::string::npos);
}

TEST(Options, HelpAndVersionWinOverMissingPieces) {
  EXPECT_EQ(parse({"--help"}).action, Options::Action::kHelp);
  EXPECT_EQ(parse({"-h"}).action, Options::Action::kHelp);
  EXPECT_EQ(parse({"--version"}).action, Options::Action::kVersion);
}

TEST(Options, HelpNamesEveryOptionAndEveryLinkKind) {
  const std::string help = help_text({{"wormhole", "goes elsewhere"}});
  for (const char* option :
       {"--app",    "--nic",       "--link",   "--pci",    "--quantum", "--duration",
        "--frames", "--size",      "--rate",   "--seed",   "--paced",   "--strict",
        "--qtest",  "--ram",       "--json",   "--config", "--version", "--quiet",
        "--switch", "--on-switch", "--boards", "--to",     "wormhole",  "Exit status"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
}

struct BadCase {
  std::vector<const char*> arguments;
  const char* names;  // what the message must name
};

TEST(Options, RefusesBadInputAndNamesIt) {
  const BadCase cases[] = {
      {{"--bogus"}, "--bogus"},
      {{"stray"}, "--help"},
      {{"--app"}, "--app"},
      {{"--app", "dance"}, "--app"},
      {{"--app", "sink", "--app", "sink"}, "--app"},
      {{"--nic", "part=82599"}, "82599"},
      {{"--nic", "mac=1:2:3"}, "--nic"},
      {{"--nic", "mac="}, "--nic"},
      {{"--nic", "82540em"}, "82540em"},
      {{"--nic", "colour=red"}, "colour"},
      {{"--nic", "aneg=soon"}, "soon"},
      {{"--nic", "addr=20"}, "--nic: addr=20: expected a hexadecimal number from 2 to 1f"},
      {{"--nic", "addr=1"}, "addr=1: expected"},
      {{"--nic", "addr=4.1"}, "addr=4.1: expected"},
      {{"--nic", "addr=0x"}, "addr=0x: expected"},
      {{"--qtest", "stdio", "--json", "-"}, "--json: - does not go with --qtest stdio"},
      {{"--nic", "timing=82599"}, "82599"},
      {{"--host", "pentium"}, "--host: 'pentium' is no host"},
      {{"--host", "p660,read-initial=fast"}, "read-initial=fast: expected clocks"},
      {{"--quantum", "10"}, "--quantum"},
      {{"--quantum", "-1us"}, "-1us"},
      {{"--duration", "forever"}, "forever"},
      {{"--duration", "0"}, "--duration"},
      {{"--frames", "-1", "--app", "generate"}, "--frames"},
      {{"--frames", "1e6", "--app", "generate"}, "--frames"},
      {{"--frames", "0", "--app", "generate"}, "--duration"},
      {{"--frames", "5"}, "--app generate"},
      {{"--size", "63", "--app", "generate"}, "--size"},
      {{"--size", "64", "--app", "reflect"}, "--app generate"},
      {{"--rate", "fast", "--app", "generate"}, "fast"},
      {{"--app", "generate", "--rate", "1bit/s"}, "--rate: 1bit/s: 100000 frames take more than"},
      {{"--seed", "lucky"}, "--seed"},
      {{"--switch", ":latency=1us"}, "--switch"},
      {{"--switch", "my lan"}, "my lan"},
      {{"--switch", "lan:colour=red"}, "colour"},
      {{"--switch", "lan:latency=soon"}, "soon"},
      {{"--switch", "lan:latency=2s"}, "2s"},
      {{"--switch", "lan:table=0"}, "1 to"},
      {{"--switch", "lan:aging=0"}, "--switch"},
      {{"--switch", "lan:queue=63"}, "63"},
      {{"--switch", "lan:max-frame=20000"}, "20000"},
      {{"--switch", "lan:queue=1k,queue=2k"}, "twice"},
      {{"--switch", "lan", "--switch", "lan"}, "twice"},
      {{"--on-switch", "lan"}, "--on-switch"},
      {{"--on-switch", "lan="}, "--on-switch"},
      {{"--on-switch", "=null"}, "--on-switch"},
      {{"--boards", "0"}, "--boards"},
      {{"--boards", "many"}, "many"},
      {{"--boards", "2", "--nic", "mac=02:00:00:00:00:01"}, "mac="},
      {{"--boards", "2", "--nic", "eeprom=/x"}, "eeprom="},
      {{"--boards", "2", "--nic", "flash=/x"}, "flash="},
      {{"--boards", "2", "--nic", "leds=/x"}, "leds="},
      {{"--boards", "2", "--qtest", "unix:x"}, "--boards"},
      {{"--to", "pair"}, "--app generate"},
      {{"--app", "generate", "--to", "everybody"}, "everybody"},
      {{"--ram", "1MiB"}, "--ram"},
      {{"--ram", "4GiB"}, "--ram"},
      {{"--ram", "lots"}, "lots"},
      {{"--app", "forward", "--nic", "part=82540em"}, "--app"},
      {{"--nic", "part=82540em", "--link", "null", "--link", "null"}, "--link"},
      {{"--qtest", "unix:x", "--app", "sink"}, "--app"},
      {{"--qtest", "unix:x", "--paced"}, "--paced"},
  };
  for (const BadCase& bad : cases) {
    const std::string message = refusal(bad.arguments);
    EXPECT_NE(message.find(bad.names), std::string::npos)
        << bad.arguments.front() << " " << bad.arguments.back() << ": '" << message << "'";
  }
}

}  // namespace
}  // namespace e1000tlm::platform
