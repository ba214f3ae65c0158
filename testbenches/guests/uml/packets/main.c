// What a guest does with its network card where Debian's programs do not go: raw frames with any
// tags, rings that are mapped into the program, time stamps of packets, many sockets at once.
#include <stdio.h>
#include <string.h>

#include "packets.h"

static const struct {
  const char *name, *words;
  int (*run)(char**);
} kParts[] = {
    {"send",
     "INTERFACE to=MAC[,MAC...] [from=MAC] [tags=TPID:VID[.PRIORITY][/...]] [vids=FIRST-LAST] "
     "[size=BYTES] "
     "[sizes=FIRST-LAST] [count=N] [gap=US] [type=HEX data=HEX]",
     send_frames},
    {"listen", "INTERFACE until=FILE|for=MS [promisc=1]", listen_to_frames},
    {"echo", "INTERFACE until=FILE", echo_frames},
    {"rings", "INTERFACE to=MAC [count=N] [tags=...] [bypass=1]", exercise_rings},
    {"stamps", "ADDRESS interface=NAME [count=N]", exercise_stamps},
    {"serve", "until=FILE", serve_sockets},
    {"ask", "ADDRESS [tcp=SOCKETS] [udp=SOCKETS] [bytes=N]", ask_sockets},
};

int main(int count, char** words) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  const size_t parts = sizeof kParts / sizeof kParts[0];
  for (size_t i = 0; i < parts && count > 2; ++i) {
    if (strcmp(words[1], kParts[i].name) == 0) return kParts[i].run(words + 2);
  }
  for (size_t i = 0; i < parts; ++i)
    fprintf(stderr, "packets %s %s\n", kParts[i].name, kParts[i].words);
  return 2;
}
