"""Links to the real QEMU, whose back-ends are the far ends: a frame goes script -> QEMU -> e1000-sim
-> the modelled adapter and driver, which send it back the same way."""

import socket

from links_support import Board, Qemu, main, no_qemu, reflects
from support import Scenario, free_port


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
            return True
    except OSError:
        return False


class LinksToQemu(Scenario):
    def check(self, link, netdev, board_first=False, restart=True):
        board = Board(self, link) if board_first else None
        if board_first:
            self.wait_for_listener(link)
        qemu = Qemu(self, netdev)
        if board is None:
            self.wait_for_qemu(qemu, netdev)
            board = Board(self, link)
        reflects(self, board, *qemu.functions())
        if restart:
            qemu.kill()
            qemu.start()
            reflects(self, board, *qemu.functions())
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)

    def wait_for_listener(self, link):
        import time
        port = int(link.rsplit("port=", 1)[-1].split(",")[0]) if "port=" in link else int(
            link.rsplit(":", 1)[-1])
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with open("/proc/net/tcp", encoding="ascii") as table:
                if any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
                       for line in table.readlines()[1:]):
                    return
            time.sleep(0.05)
        self.fail("nobody listens")

    def wait_for_qemu(self, qemu, netdev):
        if "listen" in netdev or "server=on" in netdev:
            self.wait_for_listener(netdev)
        else:
            self.assertIsNone(qemu.process.poll())

    def test_socket_listen(self):
        port = free_port()
        self.check(f"socket:listen=127.0.0.1:{port}", f"socket,connect=127.0.0.1:{port}", True)

    def test_socket_connect(self):
        port = free_port()
        self.check(f"socket:connect=127.0.0.1:{port},reconnect-ms=50",
                   f"socket,listen=127.0.0.1:{port}")

    def test_stream_client_in_qemus_words(self):
        port = free_port()
        self.check(f"stream:addr.type=inet,addr.host=127.0.0.1,addr.port={port},reconnect-ms=50",
                   f"stream,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port={port}")

    def test_socket_udp(self):
        here, there = free_port(), free_port()
        self.check(f"socket:udp=127.0.0.1:{there},localaddr=127.0.0.1:{here}",
                   f"socket,udp=127.0.0.1:{here},localaddr=127.0.0.1:{there}")

    def test_dgram_inet(self):
        here, there = free_port(), free_port()
        self.check(
            f"dgram:local.type=inet,local.host=127.0.0.1,local.port={here},remote.type=inet,"
            f"remote.host=127.0.0.1,remote.port={there}",
            f"dgram,local.type=inet,local.host=127.0.0.1,local.port={there},remote.type=inet,"
            f"remote.host=127.0.0.1,remote.port={here}")

    def test_socket_multicast(self):
        port = free_port()
        self.check(f"socket:mcast=239.77.0.1:{port},localaddr=127.0.0.1",
                   f"socket,mcast=239.77.0.1:{port},localaddr=127.0.0.1")

    def test_dgram_multicast(self):
        port = free_port()
        self.check(
            f"dgram:remote.type=inet,remote.host=239.77.0.2,remote.port={port},"
            "local.host=127.0.0.1",
            f"dgram,remote.type=inet,remote.host=239.77.0.2,remote.port={port},local.type=inet,"
            f"local.host=127.0.0.1,local.port={port}")

    def l2tpv3(self, ours, theirs, udp=True, loopback="127.0.0.1"):
        common = "udp=on" if udp else "udp=off"
        if udp:
            a, b = free_port(), free_port()
            ours += f",srcport={a},dstport={b}"
            theirs += f",srcport={b},dstport={a}"
        addresses = f"src={loopback},dst={loopback}"
        self.check(f"l2tpv3:{addresses},{common},{ours}", f"l2tpv3,{addresses},{common},{theirs}")

    def test_l2tpv3_over_udp(self):
        self.l2tpv3("txsession=1,rxsession=2", "txsession=2,rxsession=1")

    def test_l2tpv3_with_cookies_and_counter(self):
        self.l2tpv3(
            "txsession=7,rxsession=9,counter=on,txcookie=0x1234,rxcookie=0xfedcba98",
            "txsession=9,rxsession=7,counter=on,txcookie=0xfedcba98,rxcookie=0x1234")

    def test_l2tpv3_with_long_cookies_and_an_offset(self):
        self.l2tpv3(
            "txsession=7,rxsession=9,offset=4,cookie64=on,txcookie=0x1122334455667788,"
            "rxcookie=0x99aabbccddeeff00",
            "txsession=9,rxsession=7,offset=4,cookie64=on,txcookie=0x99aabbccddeeff00,"
            "rxcookie=0x1122334455667788")

    def test_l2tpv3_over_udp_and_ipv6(self):
        if not has_ipv6():
            self.skipTest("no IPv6 on the loopback interface")
        self.l2tpv3("ipv6=on,txsession=1,rxsession=2", "ipv6=on,txsession=2,rxsession=1",
                    loopback="::1")


class L2tpv3OverIp(Scenario):
    def test_over_ip(self):
        """Both ends on the loopback interface, each with an address of its own."""
        qemu = Qemu(self, "l2tpv3,src=127.0.0.2,dst=127.0.0.1,udp=off,txsession=2,rxsession=1")
        board = Board(self, "l2tpv3:src=127.0.0.1,dst=127.0.0.2,txsession=1,rxsession=2")
        reflects(self, board, *qemu.functions())
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)

    def test_over_ipv6(self):
        """Both ends at the one address that the loopback interface has: each hears itself, too, and
        knows its own frames by their session."""
        if not has_ipv6():
            self.skipTest("no IPv6 on the loopback interface")
        qemu = Qemu(self, "l2tpv3,src=::1,dst=::1,ipv6=on,udp=off,txsession=2,rxsession=1")
        board = Board(self, "l2tpv3:src=::1,dst=::1,ipv6=on,txsession=1,rxsession=2")
        reflects(self, board, *qemu.functions())
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)


if __name__ == "__main__":
    main(no_qemu())
