"""Links to the host: descriptors that are passed on, a VDE switch, a bridge through QEMU's helper,
and hostile datagrams."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

import support
from links_support import (REFERENCE, Board, Namespace, datagrams, frame, have, no_qemu, no_taps,
                           reflects, stream, wait_for)
from support import Scenario, free_port, sim


def datagram(flow, number):
    """Of UDP, with a port and a number of its own."""
    header = bytearray(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 36, 0, 0, 64, 17, 0,
                                   bytes((10, 9, 0, 1)), bytes((10, 9, 0, 2))))
    total = sum(struct.unpack(">10H", header))
    struct.pack_into(">H", header, 10, 0xFFFF & ~((total & 0xFFFF) + (total >> 16)))
    payload = struct.pack(">HHHHII", 4000 + flow, 9, 16, 0, flow, number)
    return (b"\xff" * 6 + b"\x02\0\0\0\0\x01" + b"\x08\0" + header + payload).ljust(60, b"\0")


def drain_flows(receive, seconds, wanted=1):
    """Flow and number of datagrams that come in, so many or until the time is up."""
    got, deadline = [], time.monotonic() + seconds
    while len(got) < wanted and time.monotonic() < deadline:
        data = receive(max(0.01, deadline - time.monotonic()))
        if data is not None and data[12:14] == b"\x08\0" and data[26:30] == bytes((10, 9, 0, 1)):
            got.append(struct.unpack_from(">II", data, 42))
    return got


class Help(Scenario):
    def test_lists_kinds_and_tells_all_about_each(self):
        listed = sim("--link", "help")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        kinds = [line.split()[0] for line in listed.stdout.splitlines()[1:]]
        self.assertIn("l2tpv3", kinds)
        for kind in kinds:
            text = sim("--link", kind + ":help")
            if kind.endswith(":"):  # not in this build
                continue
            self.assertEqual(text.returncode, 0, kind + text.stderr)
            self.assertTrue(text.stdout.startswith(kind + ": "), text.stdout)
            self.assertIn("back-pressure", text.stdout)

    def test_an_unknown_kind_is_refused(self):
        result = sim("--link", "none-such:help")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--link help", result.stderr)


class Descriptors(Scenario):
    """Sockets and tap devices that whoever starts the simulator has opened."""

    def check_pair(self, link, kind, functions):
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.addCleanup(ours.close)
        board = Board(self, link.format(theirs.fileno()), pass_fds=[theirs.fileno()])
        theirs.close()
        reflects(self, board, *functions(ours))
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)

    def connected(self, sock):
        send, receive = datagrams(sock, None)
        del send
        return sock.send, receive

    def test_stream(self):
        self.check_pair("stream:fd={}", socket.SOCK_STREAM, stream)

    def test_socket_with_a_stream(self):
        self.check_pair("socket:fd={}", socket.SOCK_STREAM, stream)

    def test_socket_with_datagrams(self):
        self.check_pair("socket:fd={}", socket.SOCK_DGRAM, self.connected)

    def test_dgram(self):
        self.check_pair("dgram:local.type=fd,local.str={}", socket.SOCK_DGRAM, self.connected)

    def test_what_is_no_such_descriptor_is_refused(self):
        for link in ("stream:fd=99", "socket:fd=99", "dgram:local.type=fd,local.str=99",
                     "tap:fd=99", "stream:fd=x"):
            result = sim("--link", link)
            self.assertEqual(result.returncode, 2, link)
            self.assertIn(link.split(":")[0], result.stderr)
        self.assertIn("no number", result.stderr)


class Hostile(Scenario):
    def test_datagrams_that_are_no_frames_are_counted(self):
        here, there = free_port(), free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", there))
            link = (f"l2tpv3:src=127.0.0.1,dst=127.0.0.1,udp=on,srcport={here},dstport={there},"
                    "txsession=1,rxsession=2,txcookie=3,rxcookie=4")
            board = Board(self, link, arguments=("--json", self.path("out.json")))
            send, receive = datagrams(peer, ("127.0.0.1", here))
            head = struct.pack(">III", 0x30000, 2, 4)

            def unpacked(seconds):
                data = receive(seconds)
                return None if data is None else data[12:]
            reflects(self, board, lambda data: send(head + data), unpacked, count=3)
            bad = [b"", b"\0", head[:11], struct.pack(">III", 0xC8020003, 2, 4) + frame(1),
                   struct.pack(">III", 0x30000, 3, 4) + frame(1),
                   struct.pack(">III", 0x30000, 2, 5) + frame(1), head, head + b"x" * 13,
                   head + bytes(40000)]
            for data in bad:
                send(data)
            reflects(self, board, lambda data: send(head + data), unpacked, count=3)
            status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)
        with open(self.path("out.json"), encoding="utf-8") as file:
            lost = json.load(file)["nics"][0]["lost"]
        self.assertEqual({k: v for k, v in lost.items() if k.startswith("partner_")},
                         {"partner_too_short": 5, "partner_not_data": 1,
                          "partner_foreign_session": 1, "partner_bad_cookie": 1,
                          "partner_too_long": 1})


class Vde(Scenario):
    def start_switch(self, path):
        switch = subprocess.Popen(["vde_switch", "--hub", "-s", path], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(switch.stdin.close)
        self.addCleanup(switch.wait)
        self.addCleanup(switch.kill)
        wait_for(self, lambda: os.path.exists(os.path.join(path, "ctl")), "no switch")
        return switch

    def plug(self, path):
        """vde_plug passes frames through its standard streams, after their length in two bytes."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        plug = subprocess.Popen(["vde_plug", path], stdin=theirs, stdout=theirs,
                                stderr=subprocess.DEVNULL)
        theirs.close()
        self.addCleanup(ours.close)
        self.addCleanup(plug.wait)
        self.addCleanup(plug.kill)
        buffered = bytearray()

        def receive(seconds):
            ours.settimeout(seconds)
            try:
                while len(buffered) < 2 or len(buffered) < 2 + struct.unpack_from(">H", buffered)[0]:
                    data = ours.recv(65536)
                    if not data:
                        return None
                    buffered.extend(data)
            except TimeoutError:
                return None
            size, = struct.unpack_from(">H", buffered)
            data = bytes(buffered[2:2 + size])
            del buffered[:2 + size]
            return data
        return (lambda data: ours.sendall(struct.pack(">H", len(data)) + data)), receive

    def setUp(self):
        super().setUp()
        if not have("vde_switch", "vde_plug"):
            self.skipTest("needs vde_switch and vde_plug (vde2)")

    def test_frames_pass_a_switch_that_ends_and_comes_back(self):
        path = self.path("vde")
        switch = self.start_switch(path)
        board = Board(self, f"vde:sock={path},reconnect-ms=50,mode=0600")
        reflects(self, board, *self.plug(path))
        switch.terminate()
        switch.wait(timeout=20)
        self.start_switch(path)
        reflects(self, board, *self.plug(path))
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)

    def test_a_switch_that_goes_for_good_is_reported(self):
        path = self.path("vde")
        switch = self.start_switch(path)
        board = Board(self, f"vde:sock={path}")
        reflects(self, board, *self.plug(path), count=1)
        switch.terminate()
        out, err = board.process.communicate(timeout=30)
        self.assertEqual(board.process.returncode, 1, out + err)
        self.assertIn("the VDE switch has gone", err)

    def test_without_a_switch_nothing_is_run(self):
        result = sim("--link", f"vde:sock={self.path('none')}")
        self.assertEqual(result.returncode, 2)
        self.assertIn("vde_switch -s", result.stderr)


class Tap(Scenario):
    """In a namespace of its own; packet sockets are the host's side."""

    def setUp(self):
        super().setUp()
        reason = no_taps()
        if reason:
            self.skipTest(reason)
        self.namespace = Namespace(self)

    def packets(self, interface, kind=0x88B5):
        """A packet socket in the namespace, through a helper that passes it on."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        script = ("import socket,sys\n"
                  "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(int(sys.argv[3])))\n"
                  "s.bind((sys.argv[1],int(sys.argv[3])))\n"
                  "socket.send_fds(socket.socket(fileno=int(sys.argv[2])),[b'x'],[s.fileno()])\n")
        with ours:
            self.namespace.run("python3", "-c", script, interface, str(theirs.fileno()),
                               str(kind), pass_fds=[theirs.fileno()])
            theirs.close()
            _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        packets = socket.socket(fileno=fds[0])
        self.addCleanup(packets.close)

        def receive(seconds):
            packets.settimeout(seconds)
            try:
                data, address = packets.recvfrom(65536)
                return data if address[2] != socket.PACKET_OUTGOING else b"\0" * 14
            except TimeoutError:
                return None
        return packets.send, receive

    def up(self, interface):
        command = self.namespace.command("ip", "link", "set", interface, "up")
        wait_for(self, lambda: subprocess.run(command, capture_output=True).returncode == 0,
                 "no interface " + interface)

    def board(self, link, **options):
        return Board(self, link, prefix=self.namespace.command(), **options)

    def finish(self, board):
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)

    def script(self, name):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho \"$@\" >> {path}.log\nip link set \"$1\" up\n")
        os.chmod(path, 0o755)
        return path

    def test_scripts_are_called_with_the_interfaces_name(self):
        up, down = self.script("up"), self.script("down")
        board = self.board(f"tap:ifname=t0,script={up},downscript={down}")
        self.up("t0")
        reflects(self, board, *self.packets("t0"), count=3)
        self.finish(board)
        for path in (up, down):
            with open(path + ".log", encoding="utf-8") as log:
                self.assertEqual(log.read(), "t0\n")

    def test_a_script_that_fails_is_reported(self):
        path = self.path("up")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 3\n")
        os.chmod(path, 0o755)
        result = subprocess.run(self.namespace.command(support.SIM, "--link",
                                                       f"tap:ifname=t0,script={path}"),
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("ended with status 3", result.stderr)

    def test_several_queues_send_buffer_and_virtio_header(self):
        for keys in ("queues=4", "queues=2,vnet_hdr=on", "sndbuf=65536", "vnet_hdr=on"):
            board = self.board(f"tap:ifname=t0,{keys}")
            self.up("t0")
            reflects(self, board, *self.packets("t0"))
            self.finish(board)

    def flows_through_pairs(self, queues):
        """Flows of the host go through a virtio-net adapter with four pairs of queues and back, each
        in order. The adapter's report, and the warnings."""
        self.namespace.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        out = self.path("out.json")
        board = self.board(f"tap:ifname=vnet2,queues={queues}", arguments=(
            "--app", "reflect", "--driver", "queues=4", "--nic", "model=virtio-net,queues=4",
            "--json", out), nic=())
        self.up("vnet2")
        send, receive = self.packets("vnet2", 0x0800)
        wait_for(self, lambda: send(datagram(0, 0)) and drain_flows(receive, 0.3), "nothing back")
        while drain_flows(receive, 0.3):
            pass
        descriptors = [os.readlink(entry.path) for entry in
                       os.scandir(f"/proc/{board.process.pid}/fd")].count("/dev/net/tun")
        self.assertEqual(descriptors, queues)
        got = {}
        for number in range(1, 21):
            for flow in range(16):
                send(datagram(flow, number))
            for flow, seen in drain_flows(receive, 10, 16):
                got.setdefault(flow, []).append(seen)
        self.assertEqual(got, {flow: list(range(1, 21)) for flow in range(16)},
                         "each flow whole and in order")
        status, _, err = board.stop()
        self.assertEqual(status, 0, err)
        with open(out, encoding="utf-8") as file:
            summary = json.load(file)
        for number, pair in enumerate(summary["nics"][0]["virtio"]["pairs"]):
            self.assertGreater(pair["out"]["frames"], 0, number)
        return summary

    def test_queues_of_the_interface_are_pairs_of_a_virtio_adapter(self):
        summary = self.flows_through_pairs(4)
        for number, pair in enumerate(summary["nics"][0]["virtio"]["pairs"]):
            # The kernel answers by the queue by which a flow came last.
            self.assertGreater(pair["in"]["frames"], 20, number)
        self.assertEqual(summary["warnings"], [])

    def test_fewer_queues_than_pairs_work_and_are_mentioned(self):
        self.assertEqual(self.flows_through_pairs(2)["warnings"],
                         ["nic 0: its 4 pairs of queues are on a link with 2 queues: frames of pairs "
                          "from 2 on leave by the queue of their flow"])

    def test_descriptors(self):
        script = ("import fcntl,os,struct,sys\n"
                  "fds=[]\n"
                  "for i in range(2):\n"
                  "    fd=os.open('/dev/net/tun',os.O_RDWR)\n"
                  "    fcntl.ioctl(fd,0x400454ca,struct.pack('16sH22x',b't0',0x1102))\n"
                  "    os.set_inheritable(fd,True)\n"
                  "    fds.append(str(fd))\n"
                  "os.execv(sys.argv[1],[sys.argv[1],'--link','tap:fds='+':'.join(fds)])\n")
        process = subprocess.Popen(
            self.namespace.command("python3", "-c", script, support.SIM), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        board = Board.__new__(Board)
        board.scenario, board.process = self, process
        self.addCleanup(board.kill)
        self.up("t0")
        reflects(self, board, *self.packets("t0"))
        self.finish(board)

    def test_what_the_kernel_drops_it_counts(self):
        """Frames for a simulator that takes none wait in the interface's queue; beyond it the kernel drops
        them, and each is there or in the interface's count."""
        self.namespace.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        board = self.board("tap:ifname=t0,speed=100", arguments=("--json", self.path("out.json")))
        self.up("t0")
        send_one, receive = self.packets("t0")
        sent = []

        def send(data):
            with contextlib.suppress(OSError):  # ENOBUFS: the kernel has dropped it, and says so
                send_one(data)
            sent.append(data)
        reflects(self, board, send, receive, count=3)
        before = self.dropped()
        board.process.send_signal(signal.SIGSTOP)  # nsenter has become the simulator
        for number in range(3000):
            send(frame(number, 1514))
        lost = self.dropped()
        board.process.send_signal(signal.SIGCONT)
        self.assertGreater(lost, before)
        while receive(2) is not None:
            pass
        self.finish(board)
        with open(self.path("out.json"), encoding="utf-8") as file:
            nic = json.load(file)["nics"][0]
        self.assertEqual(nic["lost"], {})
        self.assertEqual(nic["wire_in"]["frames"] + lost, len(sent))

    def dropped(self):
        shown = self.namespace.run("ip", "-j", "-s", "link", "show", "t0").stdout
        return json.loads(shown)[0]["stats64"]["tx"]["dropped"]

    def bridged(self, board):
        def on_bridge():
            board.running()
            return "master brt" in self.namespace.run("ip", "-o", "link").stdout
        wait_for(self, on_bridge, "nothing on the bridge")

    def make_bridge(self):
        self.namespace.run("ip", "link", "add", "brt", "type", "bridge")
        self.namespace.run("ip", "link", "set", "brt", "up")

    def helper(self):
        """QEMU's own, in QEMU's root; the path of a script that calls it."""
        reason = no_qemu()
        if reason:
            self.skipTest(reason)
        root = subprocess.run([REFERENCE, "path"], capture_output=True, text=True,
                              check=True).stdout.strip()
        os.makedirs(self.path("etc/qemu"))
        with open(self.path("etc/qemu/bridge.conf"), "w", encoding="utf-8") as file:
            file.write("allow brt\n")
        helper = self.path("helper")
        with open(helper, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec unshare -m sh -c '"
                       f"mount --bind /dev {root}/dev && "
                       f"mount --bind {self.path('etc')} {root}/etc && "
                       f"exec chroot {root} /usr/lib/qemu/qemu-bridge-helper \"$@\"' sh \"$@\"\n")
        os.chmod(helper, 0o755)
        return helper

    def test_a_bridge_that_goes_and_comes_back(self):
        """The interface outlives its bridge, and works on another one that it is put on."""
        helper = self.helper()
        self.make_bridge()
        board = self.board(f"bridge:br=brt,helper={helper}")
        self.bridged(board)
        reflects(self, board, *self.packets("brt"), count=6)
        tap, = re.findall(r"\d+: (\w+): .* master brt", self.namespace.run("ip", "-o", "link").stdout)
        self.namespace.run("ip", "link", "del", "brt")
        board.running()
        self.make_bridge()
        self.namespace.run("ip", "link", "set", tap, "master", "brt")
        reflects(self, board, *self.packets("brt"), count=6)
        self.finish(board)

    def test_bridge_through_qemus_helper(self):
        helper = self.helper()
        self.make_bridge()
        for link in (f"bridge:br=brt,helper={helper}", f"tap:br=brt,helper=sh {helper},vnet_hdr=on"):
            board = self.board(link)
            self.bridged(board)
            reflects(self, board, *self.packets("brt"), count=6)
            self.finish(board)
        result = subprocess.run(self.namespace.command(support.SIM, "--link",
                                                       f"bridge:br=none,helper={helper}"),
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("bridge 'none'", result.stderr)


if __name__ == "__main__":
    support.main()
