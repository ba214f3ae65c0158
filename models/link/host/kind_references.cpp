#include "e1000tlm/link/host/kind_references.h"

#include <algorithm>
#include <array>
#include <gsl/span>
#include <iterator>
#include <string_view>

namespace e1000tlm::link {
namespace {

struct Key {
  std::string_view name, fallback, meaning;
};
struct Kind {
  std::string_view name;
  gsl::span<const Key> keys;
  std::string_view qemu, root, timing, back_pressure, drops;
};

constexpr std::array<Key, 2> kBridgeKeys{{
    {"br", "br0", "the bridge"},
    {"helper", "/usr/lib/qemu/qemu-bridge-helper",
     "the helper; a command with blanks goes to the shell"},
}};
constexpr std::array<Key, 11> kDgramKeys{{
    {"local", "-", "UNIX socket to receive on"},
    {"remote", "-", "UNIX socket to send to"},
    {"local.type", "as remote.type", "unix, inet or fd"},
    {"local.path", "-", "the same as local="},
    {"local.host", "-", "address to receive on; with a multicast group, address of the interface"},
    {"local.port", "-", "UDP port to receive on"},
    {"local.str", "-", "number of an open datagram socket"},
    {"remote.type", "-", "unix or inet"},
    {"remote.path", "-", "the same as remote="},
    {"remote.host", "-", "address or multicast group to send to"},
    {"remote.port", "-", "UDP port to send to"},
}};
constexpr std::array<Key, 14> kL2tpv3Keys{{
    {"src", "-", "address of this end"},
    {"dst", "-", "address of the other end"},
    {"udp", "off", "on: over UDP; off: directly over IP"},
    {"ipv6", "off", "on: IPv6"},
    {"srcport", "any", "UDP port of this end"},
    {"dstport", "-", "UDP port of the other end"},
    {"txsession", "-", "session that the other end expects"},
    {"rxsession", "txsession", "session that this end expects"},
    {"cookie64", "off", "on: cookies of 64 bits, else 32"},
    {"txcookie", "-", "cookie to send"},
    {"rxcookie", "-", "cookie to expect"},
    {"counter", "off", "on: messages carry a counter"},
    {"pincounter", "off", "on: it stays 0"},
    {"offset", "0", "bytes between header and frame, 0 to 256"},
}};
constexpr std::array<Key, 29> kPasstKeys{{
    {"socket", "-", "UNIX socket of a passt that runs already"},
    {"reconnect", "0", "with socket, as of stream"},
    {"reconnect-ms", "0", "the same in milliseconds"},
    {"path", "passt", "the program to start"},
    {"quiet", "on", "off: its messages are shown"},
    {"param", "-", "an option for it as it stands, several times"},
    {"ipv4", "on", "off: no IPv4"},
    {"ipv6", "on", "off: no IPv6"},
    {"tcp", "on", "off: no TCP"},
    {"udp", "on", "off: no UDP"},
    {"icmp", "on", "off: no echo requests"},
    {"dhcp", "on", "off: no DHCP"},
    {"ndp", "on", "off: no neighbour discovery"},
    {"dhcpv6", "on", "off: no DHCPv6"},
    {"ra", "on", "off: no router advertisements"},
    {"mtu", "passt's", "MTU to assign"},
    {"address", "passt's", "address to assign"},
    {"netmask", "passt's", "IPv4 mask to assign"},
    {"mac", "passt's", "MAC address of the gateway"},
    {"gateway", "passt's", "address of the gateway"},
    {"interface", "passt's", "host interface that addresses and routes are taken from"},
    {"outbound", "passt's", "source address of connections"},
    {"outbound-if4", "passt's", "interface of IPv4 connections"},
    {"outbound-if6", "passt's", "interface of IPv6 connections"},
    {"dns", "passt's", "name server to assign"},
    {"dns-forward", "passt's", "address whose DNS queries are forwarded"},
    {"search", "passt's", "search domains"},
    {"tcp-ports", "passt's", "TCP ports of the host that lead to the guest"},
    {"udp-ports", "passt's", "UDP ports of the host that lead to the guest"},
}};
constexpr std::array<Key, 6> kPcapKeys{{
    {"in", "built-in capture, unless out= is given",
     "capture to replay: pcap or pcapng, also packed; - is standard input"},
    {"out", "-", "capture of both directions to write, pcapng; - is standard output"},
    {"pace", "recorded", "recorded, line, or a rate such as 100Mbit/s or 10kfps"},
    {"scale", "1", "recorded times are divided by this"},
    {"loop", "1", "times to replay"},
    {"fcs", "no", "yes: frames of in end with their FCS"},
}};
constexpr std::array<Key, 8> kSocketKeys{{
    {"fd", "-", "number of an open stream or datagram socket, connected"},
    {"listen", "-", "[HOST]:PORT, TCP server"},
    {"connect", "-", "HOST:PORT, TCP client"},
    {"mcast", "-", "GROUP:PORT, UDP multicast"},
    {"udp", "-", "HOST:PORT to send to, with localaddr="},
    {"localaddr", "-", "with mcast ADDRESS of the interface, with udp [HOST]:PORT to receive on"},
    {"reconnect", "0", "with connect, as of stream (not QEMU's)"},
    {"reconnect-ms", "0", "the same in milliseconds"},
}};
constexpr std::array<Key, 12> kStreamKeys{{
    {"path", "-", "UNIX socket"},
    {"host", "127.0.0.1", "TCP host"},
    {"port", "-", "TCP port"},
    {"fd", "-", "number of an open stream socket"},
    {"server", "off", "on: listen"},
    {"reconnect", "0", "seconds until the next attempt to connect; 0: only one"},
    {"reconnect-ms", "0", "the same in milliseconds"},
    {"addr.type", "-", "unix, inet or fd"},
    {"addr.path", "-", "the same as path="},
    {"addr.host", "-", "the same as host="},
    {"addr.port", "-", "the same as port="},
    {"addr.str", "-", "the same as fd="},
}};
constexpr std::array<Key, 10> kTapKeys{{
    {"ifname", "-", "interface to make or to join"},
    {"fd", "-", "number of an open descriptor of a tap device"},
    {"fds", "-", "the same for several queues, N:N:..."},
    {"script", "no",
     "program that is run with the interface's name when it is there (QEMU runs /etc/qemu-ifup "
     "unless told not to)"},
    {"downscript", "no", "the same at the end"},
    {"br", "br0", "bridge that a helper is to put a new interface on"},
    {"helper", "/usr/lib/qemu/qemu-bridge-helper",
     "that helper; a command with blanks goes to the shell"},
    {"sndbuf", "-", "bytes on the way to the host at most, 0: no limit"},
    {"vnet_hdr", "off", "on: the host leaves segmentation and checksums to us"},
    {"queues", "1", "queues of the interface, 1 to 256"},
}};
constexpr std::array<Key, 20> kUserKeys{{
    {"ipv4", "on", "on or off"},
    {"net", "10.0.2.0/24", "the network, ADDRESS/BITS or ADDRESS/MASK"},
    {"host", "x.x.2.2", "address of the gateway"},
    {"dhcpstart", "x.x.2.15", "first of the addresses that DHCP gives away"},
    {"dns", "x.x.2.3", "address of the name server"},
    {"ipv6", "on", "on or off"},
    {"ipv6-net", "fec0::/64", "the IPv6 network, PREFIX/BITS"},
    {"ipv6-prefix", "fec0::", "its prefix alone"},
    {"ipv6-prefixlen", "64", "its length alone"},
    {"ipv6-host", "fec0::2", "IPv6 address of the gateway"},
    {"ipv6-dns", "fec0::3", "IPv6 address of the name server"},
    {"hostname", "-", "name that DHCP gives the guest"},
    {"domainname", "-", "domain that DHCP names"},
    {"dnssearch", "-", "domain to search, may be given several times"},
    {"restrict", "off", "on: no way to the host or beyond, but for forwarded ports"},
    {"tftp", "-", "directory that TFTP serves"},
    {"tftp-server-name", "-", "name of the TFTP server that DHCP gives"},
    {"bootfile", "-", "file that DHCP names for booting"},
    {"hostfwd", "-",
     "[tcp|udp]:[HOSTADDR]:HOSTPORT-[GUESTADDR]:GUESTPORT, several times: a port of the host that "
     "leads to the guest"},
    {"guestfwd", "-",
     "[tcp]:SERVER:PORT-cmd:COMMAND or -unix:PATH, several times: a port of the network that leads "
     "to a program or socket of the host"},
}};
constexpr std::array<Key, 6> kVdeKeys{{
    {"sock", "as libvdeplug", "directory of the switch's sockets"},
    {"port", "0", "port of the switch, 0: any"},
    {"group", "-", "group of our socket"},
    {"mode", "-", "mode of our socket, octal"},
    {"reconnect", "0",
     "seconds until the next attempt when the switch is not there; 0: only one (not QEMU's)"},
    {"reconnect-ms", "0", "the same in milliseconds"},
}};

constexpr std::array<Key, 14> kVhostUserKeys{{
    {"path", "-", "UNIX socket of the back-end"},
    {"fd", "-", "number of an open stream socket instead"},
    {"server", "off", "on: listen; the back-end connects"},
    {"wait", "off",
     "with server, on: nothing begins before a back-end has agreed (QEMU's on); on unless told "
     "otherwise with guest_rings=on"},
    {"reconnect", "0", "seconds until the next attempt to connect; 0: only one"},
    {"reconnect-ms", "0", "the same in milliseconds"},
    {"queues", "1", "pairs of virtqueues, 1 to 64; the back-end must have as many"},
    {"queue_size", "256", "descriptors of a virtqueue, 8 to 1024, a power of two"},
    {"mrg_rxbuf", "on", "off: a frame from the back-end takes one buffer"},
    {"event_idx", "on", "off: notices are suppressed by flags alone"},
    {"offload", "off", "on: the back-end leaves segmentation and checksums to us"},
    {"mtu", "-", "MTU that the back-end is told"},
    {"log", "-", "file for the messages of the protocol, by name; /dev/stderr shows them"},
    {"guest_rings", "-",
     "on (with virtio-net, unless a filter is on the link): the back-end works on the driver's own "
     "rings, and queues and what they are able to are the device's; off: on rings of ours"},
}};

constexpr Kind kKinds[] = {
    {"bridge", kBridgeKeys, "bridge", "no: the helper has the right", "live", "as tap", "as tap"},
    {"dgram", kDgramKeys, "dgram", "no", "live",
     "UNIX: frames wait for a full receiver (16384 at most), senders wait for us. UDP: none; what "
     "the kernel throws away is counted",
     "no_peer, host_overflow, host_error"},
    {"l2tpv3", kL2tpv3Keys, "l2tpv3", "with udp=off (raw sockets)", "live",
     "none; what the kernel throws away is counted",
     "foreign_session, bad_cookie, not_data, too_short, host_overflow, no_peer, host_error"},
    {"loopback", {}, "-", "no", "free-running", "takes all that comes", "-"},
    {"null", {}, "-", "no", "free-running", "takes all that comes", "-"},
    {"passt", kPasstKeys, "passt", "no", "live", "as stream", "as stream"},
    {"pcap", kPcapKeys, "- (nearest: -object filter-dump)", "no", "free-running",
     "the replay stands still while the MAC is not ready; recording takes all",
     "oversized, link_lost"},
    {"socket", kSocketKeys, "socket", "no", "live",
     "as stream (listen, connect) or dgram (mcast, udp)", "as stream or dgram"},
    {"stream", kStreamKeys, "stream", "no", "live",
     "frames wait for a peer that takes none (16384 at most); a peer waits while 1024 frames wait "
     "for the NIC",
     "no_peer, cut_off, bad_length"},
    {"tap", kTapKeys, "tap",
     "yes, unless the interface belongs to the user, is passed as fd, or comes from a helper",
     "live",
     "frames to the host wait (16384 at most); the host's queue fills while 1024 wait for the NIC, "
     "then the kernel drops and counts at the interface",
     "offload, interface_down, host_error"},
    {"user", kUserKeys, "user", "no; hostfwd to ports below 1024 does",
     "free-running; live while a socket of the host is open (ports forwarded, connections beyond "
     "the gateway)",
     "nothing is read from the host while 1024 frames wait for the NIC",
     "hold_overflow, bad_fcs, too_long"},
    {"vde", kVdeKeys, "vde", "no", "live",
     "frames wait for a full switch (16384 at most); the switch drops what we do not take",
     "no_peer, host_error"},
    {"vhost-user", kVhostUserKeys, "vhost-user with -chardev socket", "no", "live",
     "frames wait for a full virtqueue or a back-end that has not agreed yet (16384 at most); the "
     "back-end finds no free buffers while 1024 frames wait for the NIC",
     "no_peer, back_end_gone, offload"},
};

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

}  // namespace

KindReference kind_reference(const std::string& kind) {
  const auto* const found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                         [&](const Kind& k) { return k.name == kind; });
  KindReference reference;
  if (found == std::end(kKinds)) return reference;
  for (const Key& key : found->keys) {
    reference.keys.push_back(
        {std::string(key.name), std::string(key.fallback), std::string(key.meaning)});
  }
  reference.qemu = found->qemu;
  reference.root = found->root;
  reference.timing = found->timing;
  reference.back_pressure = found->back_pressure;
  reference.drops = found->drops;
  return reference;
}

std::string kind_help(const std::string& name, const PartnerRegistry::Kind& kind) {
  constexpr std::size_t kWidth = 18;
  const KindReference& reference = kind.reference;
  std::string text = name + ": " + kind.summary + "\n\nKeys (default; - is none)\n";
  if (reference.keys.empty()) text += "  none\n";
  for (const KindReference::Key& key : reference.keys) {
    text += "  " + padded(key.name, kWidth) + key.meaning + " (" + key.fallback + ")\n";
  }
  text += "  " + padded("speed, aneg, pause", kWidth) + " as with every kind, see --help\n\n";
  const auto line = [&](const char* label, const std::string& value) {
    text += padded(label, kWidth) + value + "\n";
  };
  line("in QEMU", reference.qemu == "-" ? "none" : reference.qemu);
  line("root", reference.root);
  line("time", reference.timing);
  line("back-pressure", reference.back_pressure);
  line("drops", reference.drops == "-" ? "none of its own" : reference.drops);
  return text;
}

}  // namespace e1000tlm::link
