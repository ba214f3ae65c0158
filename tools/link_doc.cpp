/// Writes doc/links.md from the kinds of links that are built in:
///   e1000-links --write doc/links.md     renews it, but for what ./run links has measured
///   e1000-links --check doc/links.md     status 1 if the file says something else

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <systemc>

#include "e1000tlm/link/host/builtin_partners.h"
#include "e1000tlm/link/host/kind_references.h"

#include "document.h"

namespace {

namespace link_ns = e1000tlm::link;

constexpr const char* kBefore = R"(# Links

Made from the kinds of links by `build/bin/e1000-links --write doc/links.md`; a test keeps it true. A *link* is what a
modelled cable ends in: `--link KIND:key=value,...`, one for each adapter, or `--on-switch
NAME=KIND:...`. `e1000-sim --link help` lists the kinds, `--link KIND:help` tells what stands here.

```sh
./run --app ping --link user                     # DHCP and ping, no root, the same every time
./run --app reflect --link tap:ifname=tap0       # an interface of the host
./run --app reflect --link socket:listen=:1234   # QEMU with -netdev socket,connect=HOST:1234
```

- A **live** link keeps the run to the wall clock, since frames may come at any time; the run is not
  reproducible. A **free-running** one depends on simulated time alone: the same inputs give the same
  bytes.
- All kinds but `user`, `pcap`, `null` and `loopback` also lose damaged frames (`bad_fcs`), frames of
  no possible length (`too_short`, `too_long`), those for which 16384 others wait (`host_queue_full`),
  those that wait when the run ends (`host_closed`) or the other end has gone (`host_gone`), and, until
  the driver has set its receiver up, those beyond 4096 (`hold_overflow`). The summary counts each
  under its reason, with `partner_` before it.
- `switch:NAME` is no kind of its own but a port of a modelled switch: see `--switch`.
- A value with a comma has it twice. `hostfwd`, `guestfwd`, `dnssearch` and `param` may be given several
  times.

)";

constexpr const char* kAfter = R"(## Libraries

| kind | library | Debian package |
|---|---|---|
| `user` | libslirp | `libslirp-dev` |
| `vde` | libvdeplug | `libvdeplug-dev`; the switch is in `vde2` |

They are looked for when e1000-tlm is configured. Without one its kind is not there, and `--link` says
which package to install before building again. `passt` and `qemu-bridge-helper` are programs: they
are looked for when they are used (packages `passt`, `qemu-system-common`).

## What to know

- `user`: ARP, DHCP, echo requests to the gateway and the name server, TFTP and router advertisements
  need no host and are reproducible, those of TFTP as far as the files are. Unasked-for router
  advertisements come at moments that `--seed` decides. A connection beyond the gateway makes the run
  live while it lasts (UDP: four minutes of simulated time after the last packet). `smb` is not built:
  it needs a Samba server.
- `tap` with `vnet_hdr=on`: the kernel hands over long packets and half-made checksums. A wire carries
  neither, so they are cut into segments as the controller's own segmentation does (manual 3.5.9), and
  summed. UDP fragmentation offload, which kernels no longer have, is refused (`offload`). With
  `queues=N` there are N descriptors on one interface. A device with several pairs of queues sends the frames of
  pair i by descriptor i, and gets those that come by descriptor i in pair i; frames of no queue, or of one that
  the interface does not have, keep to the queue of their flow. The same holds for the pairs of `vhost-user`.
- `tap` runs no script unless told to and brings an interface that it has made up itself; QEMU runs
  `/etc/qemu-ifup`.
- Multicast: our own frames, which the kernel brings back, are left out; with QEMU they come back.
- `l2tpv3`: messages with another session, a wrong cookie or of another kind are counted and dropped;
  counters of the other end are not looked at.
- `passt`: frames go to it without the padding of short ones. It makes a user namespace for itself, which the
  kernel refuses in a chroot. That of 2023 (Debian 12) now and then does not pass on that a server has closed a
  connection (its own `--pcap` shows no FIN), so that clients who wait for the end wait for ever; that of 2025
  (Debian 13) does.
- `vhost-user` at a virtio-net adapter: the back-end works on the driver's own rings, see
  [virtio.md](virtio.md#another-program-carries-the-packets-vhost-user). Else, and with `guest_rings=off`:
- `vhost-user`: the link is a front-end without a guest, as DPDK's virtio-user is. A back-end's ring of
  frames that it has not used when it goes is lost and counted (`back_end_gone`), since it may have sent
  some of them; while none is connected frames are (`no_peer`), and while one has not agreed yet they
  wait. `testpmd` wants `--no-huge` where there are no huge pages:
  `dpdk-testpmd --no-huge -m 512 --no-pci --vdev net_vhost0,iface=/tmp/vhost.sock -- --auto-start`.
  With `server` the back-end must be told to be the client: `client=1` there, `dpdkvhostuserclient` in
  Open vSwitch, which goes without huge pages with
  `other_config:dpdk-extra="--no-huge --legacy-mem -m 512 --no-pci"` and
  `other_config:per-port-memory=true`. What a back-end leaves to us with `offload=on` is done as with tap's `vnet_hdr=on`. Packed
  virtqueues are not built; of the protocol's own features those for several queues, acknowledgements,
  MTU and status are used.
- Empty hosts: `socket:listen=:PORT` listens on all addresses, as QEMU does; `stream` without `host=`
  stays on 127.0.0.1.

## Not built

| QEMU's | why | what it would take |
|---|---|---|
| `tap,vhost=on` (vhost-net) | the kernel's vhost-net works on virtqueues and a tap device at once; the machines this is tested on lack the module | the virtqueues that `vhost-user` has, handed over by `ioctl` on `/dev/vhost-net` instead of messages; a kernel with `CONFIG_VHOST_NET` |
| `vhost-vdpa` | needs a vDPA device or its simulator in the kernel (`CONFIG_VDPA_SIM_NET`) | the same virtqueues and `ioctl`s on `/dev/vhost-vdpa-N`, and the device's status and configuration space |
| `netmap` | needs the netmap module, which is no part of Linux | the module, and a partner on its rings |

## Throughput

Measured by `./run links`, which needs root; `--update-doc` renews the table. At the far end a program sends
frames as fast as the link takes them, or counts those that come. The adapter is driven over qtest in both
machines, with the same registers and descriptors: nothing but model, back-end and far end is measured.
e1000-sim computes every bus access and bit time meanwhile (`--quantum 0`); QEMU's e1000 knows no time. UDP
(`dgram`, `socket`, `l2tpv3`, `user`) and tap have no back-pressure from the host: what comes too fast is lost. `-`: the reference QEMU lacks that back-end.

)";
constexpr const char* kBegin = "<!-- measured: ./run links --update-doc -->";
constexpr const char* kEnd = "<!-- end of measured -->";

/// What has been measured, out of an earlier document.
std::string measured(const std::string& old) {
  const std::size_t begin = old.find(kBegin);
  const std::size_t end = old.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return std::string(kBegin) + "\n\nNot measured yet.\n\n" + kEnd;
  }
  return old.substr(begin, end - begin) + kEnd;
}

/// What the user types or puts something of their own in for: set as code.
bool is_code(const std::string& word) {
  unsigned capitals = 0;
  unsigned small = 0;
  bool key = false;
  for (const char c : word) {
    capitals += c >= 'A' && c <= 'Z' ? 1U : 0U;
    small += c >= 'a' && c <= 'z' ? 1U : 0U;
    key = key || c == '=' || c == '[' || c == ':' || c == '/';
  }
  static const std::set<std::string> kOwn{"ADDRESS", "COMMAND", "DIRECTORY", "FILE",
                                          "GROUP",   "HOST",    "MASK",      "NAME",
                                          "PATH",    "PORT",    "RATE",      "SECONDS"};
  return (key && capitals > 1) || (key && word.find('=') != std::string::npos) ||
         (small == 0 && kOwn.count(word) != 0);
}

/// Text of a table's cell.
std::string cell(const std::string& text) {
  std::string out;
  std::string word;
  const auto finish = [&] {
    const std::size_t end = word.find_last_not_of(",;.)") + 1;
    const std::size_t begin = std::min(word.find_first_not_of('('), end);
    const std::string core = word.substr(begin, end - begin);
    out += word.substr(0, begin) + (is_code(core) ? "`" + core + "`" : core) + word.substr(end);
    word.clear();
  };
  for (const char c : text) {
    if (c == ' ') {
      finish();
      out += c;
    } else {
      word += c == '|' ? std::string("\\|") : std::string(1, c);
    }
  }
  finish();
  return out;
}

void add_table(std::ostringstream& out, const link_ns::PartnerRegistry& registry) {
  out << "## The kinds\n\n| kind | in QEMU | needs root | time | back-pressure | drops of its own "
         "|\n"
         "|---|---|---|---|---|---|\n";
  for (const auto& [name, kind] : registry.kinds()) {
    const link_ns::KindReference& r = kind.reference;
    out << "| [`" << name << "`](#" << name << ") | " << r.qemu << " | " << cell(r.root) << " | "
        << cell(r.timing) << " | " << cell(r.back_pressure) << " | " << cell(r.drops) << " |\n";
  }
}

void add_keys(std::ostringstream& out, const link_ns::PartnerRegistry& registry) {
  out << "\n## Keys\n\nEvery kind takes `speed=10|100|1000`, `aneg=on|off` and "
         "`pause=none|rx|tx|both` as well.\n\n";
  for (const auto& [name, kind] : registry.kinds()) {
    out << "### " << name << "\n\n" << cell(kind.summary) << ".\n\n";
    if (kind.reference.keys.empty()) continue;
    out << "| key | default | |\n|---|---|---|\n";
    for (const link_ns::KindReference::Key& key : kind.reference.keys) {
      out << "| `" << key.name << "` | " << cell(key.fallback) << " | " << cell(key.meaning)
          << " |\n";
    }
    out << "\n";
  }
}

std::string document(const std::string& old) {
  const link_ns::PartnerRegistry registry = link_ns::builtin_partners();
  std::ostringstream out;
  out << kBefore;
  add_table(out, registry);
  add_keys(out, registry);
  out << kAfter << measured(old) << "\n";
  return out.str();
}

}  // namespace

int sc_main(int, char**) { return 0; }

int main(int argc, char** argv) {
  const auto missing = link_ns::builtin_partners().missing();
  if (!missing.empty()) {
    std::cerr << "e1000-links: --link " << missing.begin()->first << ": " << missing.begin()->second
              << "\n";
    return 77;
  }
  std::stringstream old;
  if (argc == 3) old << std::ifstream(argv[2]).rdbuf();
  const std::string text = document(old.str());
  if (argc == 3 && std::string(argv[1]) == "--write") {
    std::ofstream(argv[2]) << text;
    return 0;
  }
  return document_main(argc, argv, "e1000-links", text);
}
