// Packet rings that are mapped into the program (TPACKET_V3), both ways: frames go out through one,
// and come back from packets echo through the other.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "packets.h"

enum {
  kBlockBytes = 1 << 16,
  kBlocks = 32,
  kSlotBytes = 2048,
  kSlots = kBlockBytes / kSlotBytes * 8,
  kWindow = 40,   // frames under way: they fit into a packet buffer
  kRetireMs = 1,  // a block that is not full comes after this time
  kMostFrames = 65536,
};

struct ring {
  int fd;
  uint8_t* memory;
  unsigned at;
};

// Of the sender: a ring of slots; of the receiver: a ring of blocks.
static struct ring make_ring(const char* interface, bool sends) {
  struct ring ring = {.fd = socket(AF_PACKET, SOCK_RAW, 0)};
  const int version = TPACKET_V3;
  if (ring.fd < 0) fail("socket(AF_PACKET)");
  if (setsockopt(ring.fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version))
    fail("PACKET_VERSION");
  struct tpacket_req3 request = {.tp_block_size = kBlockBytes, .tp_frame_size = kSlotBytes};
  request.tp_block_nr = sends ? kSlots * kSlotBytes / kBlockBytes : kBlocks;
  request.tp_frame_nr = request.tp_block_nr * (kBlockBytes / kSlotBytes);
  if (!sends) request.tp_retire_blk_tov = kRetireMs;
  if (setsockopt(ring.fd, SOL_PACKET, sends ? PACKET_TX_RING : PACKET_RX_RING, &request,
                 sizeof request)) {
    fail(sends ? "PACKET_TX_RING" : "PACKET_RX_RING");
  }
  ring.memory = mmap(NULL, (size_t)request.tp_block_nr * kBlockBytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED, ring.fd, 0);
  if (ring.memory == MAP_FAILED) fail("mmap");
  struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                .sll_protocol = htons(sends ? 0 : ETH_P_ALL)};
  address.sll_ifindex = (int)if_nametoindex(interface);
  if (bind(ring.fd, (struct sockaddr*)&address, sizeof address)) fail(interface);
  return ring;
}

struct run {
  struct layout layout;
  struct ring out, in;
  uint32_t count, sent, back;
  uint64_t bytes;
  unsigned blocks, tagged;
};

static size_t size_of(uint32_t number) { return 60 + number * 37 % 1455; }  // 60 to 1514

// Fills free slots, as many as may be under way, and has the kernel send them. How many.
static unsigned fill(struct run* run) {
  unsigned filled = 0;
  while (run->sent < run->count && run->sent - run->back < kWindow) {
    struct tpacket3_hdr* slot =
        (struct tpacket3_hdr*)(run->out.memory + (size_t)run->out.at * kSlotBytes);
    const uint32_t status = __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
    if (status & TP_STATUS_WRONG_FORMAT)
      complain("the kernel takes slot %u for malformed", run->out.at);
    if (status != TP_STATUS_AVAILABLE) break;
    run->layout.number = run->sent;
    const size_t bytes = size_of(run->sent);
    write_frame(&run->layout, (uint8_t*)slot + TPACKET3_HDRLEN - sizeof(struct sockaddr_ll), bytes);
    slot->tp_len = (uint32_t)bytes;
    slot->tp_snaplen = (uint32_t)bytes;
    slot->tp_next_offset = 0;
    __atomic_store_n(&slot->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
    run->out.at = (run->out.at + 1) % kSlots;
    ++run->sent;
    ++filled;
  }
  if (filled && send(run->out.fd, NULL, 0, MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ENOBUFS)
    fail("send");
  return filled;
}

static void take_frame(struct run* run, const struct tpacket3_hdr* header) {
  const uint8_t* frame = (const uint8_t*)header + header->tp_mac;
  const bool tagged = header->tp_status & TP_STATUS_VLAN_VALID;
  const struct tag aux = {header->hv1.tp_vlan_tpid, (uint16_t)header->hv1.tp_vlan_tci};
  struct layout layout;
  if (!read_frame(frame, header->tp_snaplen, tagged ? &aux : NULL, &layout) ||
      layout.type != kEchoType)
    return;
  if (layout.number != run->back)
    complain("frame %u came back, %u was due", layout.number, run->back);
  const size_t whole = header->tp_snaplen + (tagged ? kTagBytes : 0);
  if (whole != size_of(run->back)) complain("frame %u has %zu bytes", layout.number, whole);
  if (!intact(&layout, frame, header->tp_snaplen, tagged ? &aux : NULL))
    complain("frame %u is altered", layout.number);
  if (layout.tags != run->layout.tags ||
      memcmp(layout.tag, run->layout.tag, layout.tags * sizeof layout.tag[0])) {
    complain("frame %u has the tags %s", layout.number, show_tags(&layout));
  }
  run->tagged += tagged;
  run->bytes += whole;
  ++run->back;
}

// Reads the blocks that the kernel has handed over. How many.
static unsigned drain(struct run* run) {
  unsigned blocks = 0;
  for (;; ++blocks) {
    struct tpacket_block_desc* block =
        (struct tpacket_block_desc*)(run->in.memory + (size_t)run->in.at * kBlockBytes);
    if (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) break;
    const uint8_t* at = (uint8_t*)block + block->hdr.bh1.offset_to_first_pkt;
    for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; ++i) {
      const struct tpacket3_hdr* header = (const struct tpacket3_hdr*)at;
      take_frame(run, header);
      at += header->tp_next_offset;
    }
    __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    run->in.at = (run->in.at + 1) % kBlocks;
  }
  run->blocks += blocks;
  return blocks;
}

int exercise_rings(char** arguments) {
  const char* interface = arguments[0];
  struct run run = {.count = (uint32_t)number(arguments, "count", 4000)};
  run.layout.type = kTestType;
  parse_address(word(arguments, "to", ""), run.layout.to);
  own_address(interface, run.layout.from);
  if (!parse_tags(word(arguments, "tags", ""), &run.layout))
    complain("tags=%s", word(arguments, "tags", ""));
  if (run.count > kMostFrames) complain("count= is at most %d", kMostFrames);
  run.out = make_ring(interface, true);
  run.in = make_ring(interface, false);
  if (run.layout.tags) make_promiscuous(run.in.fd, interface);
  const int bypass = (int)number(arguments, "bypass", 0);
  if (setsockopt(run.out.fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass))
    fail("PACKET_QDISC_BYPASS");
  const int64_t start = now_ns();
  struct pollfd wait = {.fd = run.in.fd, .events = POLLIN | POLLERR};
  while (run.back < run.count) {
    const bool worked = fill(&run) + drain(&run) > 0;
    if (!worked && poll(&wait, 1, 1000) == 0)
      complain("%u of %u frames came back", run.back, run.sent);
  }
  struct tpacket_stats_v3 stats = {0};
  socklen_t length = sizeof stats;
  if (getsockopt(run.in.fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
    fail("PACKET_STATISTICS");
  if (stats.tp_drops) complain("%u frames found the ring full", stats.tp_drops);
  printf("%u frames out and back, %llu bytes, tags %s (%u taken off), %u blocks, %lld us\n",
         run.back, (unsigned long long)run.bytes, show_tags(&run.layout), run.tagged, run.blocks,
         (long long)(now_ns() - start) / 1000);
  return 0;
}
