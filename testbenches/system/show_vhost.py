"""./run virtio-vhost: the native driver sends frames through a virtio-net adapter whose rings DPDK's
testpmd works on, and gets them back; then all that both sides have said to each other."""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile

from vhost_support import Testpmd, no_testpmd


class Stage(contextlib.ExitStack):
    """What a back-end needs of whoever uses it."""

    def __init__(self):
        super().__init__()
        self.directory = self.enter_context(tempfile.TemporaryDirectory())

    def path(self, name):
        return os.path.join(self.directory, name)

    def addCleanup(self, call):  # pylint: disable=invalid-name
        self.callback(call)

    def fail(self, text):
        sys.exit("./run virtio-vhost: " + text)


def main():
    parser = argparse.ArgumentParser(prog="./run virtio-vhost", description=__doc__)
    parser.add_argument("sim", help=argparse.SUPPRESS)
    parser.add_argument("--pairs", type=int, default=2, metavar="N", help="of queues (2)")
    parser.add_argument("--frames", type=int, default=1000, metavar="N", help="to send (1000)")
    parser.add_argument("options", nargs="*", help="more options for e1000-sim, after --")
    asked = parser.parse_args()
    reason = no_testpmd()
    if reason:
        sys.exit("./run virtio-vhost: " + reason)
    with Stage() as stage:
        print("starting dpdk-testpmd, which sends back what it gets", flush=True)
        Testpmd(stage, stage.path("vhost"), queues=asked.pairs)
        status = subprocess.run(
            [asked.sim, "--app", "generate", "--frames", str(asked.frames), "--size", "imix", "--rate",
             "10Mbit/s", "--driver", f"queues={asked.pairs}", "--nic",
             f"model=virtio-net,queues={asked.pairs}", "--link",
             f"vhost-user:path={stage.path('vhost')},log={stage.path('messages')}",
             *asked.options]).returncode
        print("\nvhost-user: to the back-end (>) and from it (<)")
        with open(stage.path("messages"), encoding="utf-8") as file:
            sys.stdout.writelines("  " + line for line in file)
    sys.exit(status)


if __name__ == "__main__":
    main()
