#pragma once
/// Everything there is to say about a board and its run. No SystemC.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "e1000tlm/driver/nic_settings.h"
#include "e1000tlm/e1000/parts.h"
#include "e1000tlm/e1000/peripherals/eeprom.h"
#include "e1000tlm/e1000/timing.h"
#include "e1000tlm/link/switch/switch_config.h"
#include "e1000tlm/tlm/time.h"
#include "e1000tlm/virtio/net_config.h"

namespace e1000tlm::platform {

/// What kind of adapter; the words are in kNicModelNames.
enum class NicModel : std::uint8_t {
  kE1000,      ///< Intel's 8254x
  kVirtioNet,  ///< a network device of virtio
};
/// As in --nic model=, by NicModel.
inline constexpr std::array<std::string_view, 2> kNicModelNames{"e1000", "virtio-net"};

/// One adapter: its model, its address and slot, and what only its model has.
struct NicConfig {
  /// Which kind.
  NicModel model = NicModel::kE1000;
  std::optional<e1000::MacAddress>
      mac;                         ///< unset: that of the EEPROM file, else 52:54:00:12:34:56+n
  std::optional<unsigned> device;  ///< PCI device number; unset: the lowest free, from 2 on

  // Of an e1000.
  /// Which chip.
  e1000::Part part = e1000::Part::k82540em;
  std::string eeprom_file;              ///< raw image; empty: one made for the part
  std::string flash_file;               ///< raw contents of the card's flash; empty: it has none
  std::string led_file;                 ///< waveforms of the LEDs go there (VCD); empty: none
  std::optional<Time> autonegotiation;  ///< unset: the PHY's default
  e1000::ControllerTiming timing{};     ///< see e1000::timing_sets()

  // Of a virtio-net.
  virtio::NetDeviceConfig virtio{};  ///< its address is `mac`
};

/// A switch that differs from the default one.
struct SwitchSettings {
  /// As links name it: see is_switch_name().
  std::string name;
  /// What it is like.
  link::SwitchConfig config;
};
/// Letters, digits, - and _.
inline bool is_switch_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
                              std::string_view::npos;
}

/// What hangs on a switch beside adapters.
struct OutletConfig {
  std::string on;    ///< name of the switch
  std::string link;  ///< as in BoardConfig::links
};

/// A filter on a link.
struct FilterConfig {
  /// "0": the link of adapter 0 (of each board); "lan/1": the second thing that hangs on lan.
  std::string link;
  std::string text;  ///< see parse_filter_spec()
};

/// What the driver does with frames; the words are in kAppNames.
enum class AppChoice : std::uint8_t {
  kSink,
  kReflect,
  kGenerate,
  kForward,
  kBlast,
  kSelfTest,
  kPing
};
/// As in --app, by AppChoice.
inline constexpr std::array<std::string_view, 7> kAppNames{
    "sink", "reflect", "generate", "forward", "blast", "selftest", "ping"};

/// A socket by which somebody else's virtual machine gets an adapter.
struct VfioUserConfig {
  std::string path;   ///< of the socket
  unsigned nic = 0;   ///< which adapter
  bool keep = true;   ///< serve the next client when one has gone
  bool busy = false;  ///< never sleep while waiting for it
};

/// Sockets by which User-Mode Linux gets an adapter.
struct UmlConfig {
  std::string path;  ///< of the device's socket; simulated time's has ".time" behind
  unsigned nic = 0;  ///< which adapter
  bool travels =
      true;  ///< the guest's time is simulated time; otherwise both keep to the wall clock
};

/// What a Board is made from. The defaults are those of e1000-sim without arguments.
struct BoardConfig {
  /// The adapters of each machine, 1 to 30.
  std::vector<NicConfig> nics{1};
  /// One per NIC; "pcap" alone replays the built-in capture, "switch:NAME" leads to a switch.
  std::vector<std::string> links{"pcap"};
  std::vector<SwitchSettings> switches;  ///< links make those that are not listed
  /// What else hangs on the switches.
  std::vector<OutletConfig> outlets;
  /// In the order in which they stand on each link, from the adapter (or switch) on.
  std::vector<FilterConfig> filters;
  /// So many equal boards, each with these adapters, drivers and links.
  unsigned boards = 1;
  std::string pci = "32/33";     ///< see pci::find_bus_speed
  std::string host = "typical";  ///< host bridge and arbiter, see pci::parse_host
  /// Memory of each machine, from address 0.
  std::uint64_t ram_bytes = 64U << 20;
  Time quantum{};  ///< 0: approximately timed; else loosely timed
  /// Approximately timed and not paced: see e1000::Controller::set_lookahead(). 0: none.
  Time lookahead = us(100);

  /// What the driver does.
  AppChoice app = AppChoice::kReflect;
  std::string sizes = "imix";  ///< generate: see traffic::SizeMix::parse
  std::string rate = "line";   ///< generate: see traffic::parse_rate
  std::uint64_t frames = 0;    ///< generate, each NIC; 0: endless. ping: echo requests
  /// generate: whom a NIC sends to: "next" NIC, the one it is a "pair" with (0 and 1, 2 and 3 ...),
  /// the "first" (which sends to the next), or an address. ping: an IPv4 address; "next" is the
  /// gateway.
  std::string to = "next";
  /// Longest frame with FCS that the driver receives; generate makes it fit its sizes.
  std::uint32_t max_frame_bytes = 1522;
  /// Of everything random: the same seed gives the same run.
  std::uint64_t seed = 1;
  /// The driver's settings; its longest frame is max_frame_bytes.
  driver::NicSettings driver{};

  std::optional<Time> duration;  ///< simulated; unset: until all traffic has been handled
  bool paced = false;            ///< follow the wall clock; live partners switch it on
  bool strict = false;           ///< any frame that is lost makes the run a failed one
  bool progress = false;         ///< a status line on stderr in long runs
  double pace = 1;               ///< paced: simulated seconds in a second of the wall clock
  /// Where a control socket listens, see plugs::ControlDoor; empty: there is none.
  std::string control;
  std::string qtest;  ///< address of a qtest server; empty: there is none
  /// One for each adapter; each is on a bus of its own then. Empty: there is none.
  std::vector<VfioUserConfig> vfio_user;

  /// Ditto for User-Mode Linux; they all travel or none does.
  std::vector<UmlConfig> uml;

  /// Somebody else's program drives, not the native driver.
  bool driven_from_outside() const { return !qtest.empty() || has_guests(); }
  /// Each adapter is in another virtual machine.
  bool has_guests() const { return !vfio_user.empty() || !uml.empty(); }
};

}  // namespace e1000tlm::platform
