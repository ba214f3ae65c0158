"""Live links under strain: filters, far ends that take nothing for a while, that go and come back."""

import json
import os
import signal
import socket
import time

from links_support import Board, datagrams, drain, frame, reflects, stream, wait_for
import support
from support import Scenario, read_pcapng

BURST = 3000


class Live(Scenario):
    """A reflecting board at one end of a socket pair."""

    def board(self, *arguments, kind=socket.SOCK_STREAM, link="stream:fd={},speed=100"):
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.addCleanup(self.ours.close)
        board = Board(self, link.format(theirs.fileno()), pass_fds=[theirs.fileno()],
                      arguments=("--json", self.path("out.json"), *arguments))
        theirs.close()
        return board

    def finish(self, board):
        """The adapter's part of the summary."""
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)
        with open(self.path("out.json"), encoding="utf-8") as file:
            return json.load(file)["nics"][0]


class Filters(Live):
    def test_dump_records_both_ways(self):
        path = self.path("dump.pcapng")
        board = self.board("--filter", f"0:dump:file={path}")
        reflects(self, board, *stream(self.ours))
        self.finish(board)
        frames = read_pcapng(path)
        for number in range(20):
            data = frame(number, (60, 200, 1514)[number % 3])
            self.assertEqual([f.direction for f in frames if f.data == data], ["in", "out"])

    def test_impair_loses_the_frames_that_it_says(self):
        board = self.board("--filter", "0:impair:lose=5/7,dir=in", "--filter",
                           "0:impair:delay=20ms,dir=out")
        send, receive = stream(self.ours)
        time.sleep(0.5)  # the first frame is to find the receiver set up
        sent = [frame(number) for number in range(10)]
        start = time.monotonic()
        for data in sent:
            send(data)
        back = [self.next(receive) for _ in range(8)]
        self.assertGreaterEqual(time.monotonic() - start, 0.02)
        self.assertEqual(back, [data for i, data in enumerate(sent, 1) if i not in (5, 7)])
        self.assertEqual(self.finish(board)["lost"], {"impair_chosen": 2})

    def next(self, receive):
        data = receive(20)
        self.assertIsNotNone(data, "a frame does not come back")
        return data

    def test_mirror_to_another_live_link(self):
        near, far = self.path("near"), self.path("far")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as copy:
            copy.bind(far)
            copy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            board = self.board("--filter", f"0:mirror:to=dgram:local={near},,remote={far},dir=in")
            reflects(self, board, *stream(self.ours), count=6)
            _, receive = datagrams(copy, near)
            for number in range(6):
                self.assertTrue(drain(receive, frame(number, (60, 200, 1514)[number % 3]), 10))
            self.finish(board)

    def test_redirect_puts_another_live_link_in_its_place(self):
        """Frames from the adapter go to the other link, and what comes from there goes on."""
        near, far = self.path("near"), self.path("far")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(far)
            board = self.board("--filter", f"0:redirect:to=dgram:local={near},,remote={far}")
            wait_for(self, lambda: os.path.exists(near), "no socket")
            reflects(self, board, *datagrams(other, near))
            send, receive = stream(self.ours)
            send(frame(1))
            self.assertFalse(drain(receive, None, 0.5))
            self.finish(board)


class BackPressure(Live):
    """The far end sends a burst and takes nothing meanwhile: what the sockets do not hold waits in the
    simulator, and nothing is lost. At 100 Mbit/s, which the adapter's bus carries both ways at once."""

    def burst(self, board, send, receive):
        reflects(self, board, send, receive, count=3)
        sent = [frame(number, 1514) for number in range(BURST)]
        for data in sent:
            send(data)
        time.sleep(0.5)
        for number, data in enumerate(sent):
            got = receive(20)
            self.assertEqual(got, data, f"frame {number} of {BURST}")
        nic = self.finish(board)
        self.assertEqual(nic["lost"], {})

    def test_stream(self):
        board = self.board()
        self.burst(board, *stream(self.ours))

    def test_datagrams(self):
        board = self.board(kind=socket.SOCK_DGRAM, link="socket:fd={},speed=100")
        _, receive = datagrams(self.ours, None)

        def send(data):
            self.ours.settimeout(20)
            self.ours.send(data)
        self.burst(board, send, receive)

    def test_what_udp_loses_is_counted(self):
        """The kernel has no way to make a UDP sender wait: frames that it throws away because they come
        too fast are counted, so that each is accounted for."""
        here, there = support.free_port(), support.free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", there))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            board = Board(self, f"socket:udp=127.0.0.1:{there},localaddr=127.0.0.1:{here}",
                          arguments=("--json", self.path("out.json")))
            send_one, receive = datagrams(peer, ("127.0.0.1", here))
            sent = []

            def send(data):
                sent.append(data)
                send_one(data)
            reflects(self, board, send, receive, count=3)
            board.process.send_signal(signal.SIGSTOP)
            for number in range(BURST):
                send(frame(number, 1514))
            board.process.send_signal(signal.SIGCONT)
            while drain(receive, None, 1):
                pass
            send(frame(BURST))  # what was lost is told with the next frame
            self.assertTrue(drain(receive, frame(BURST), 10))
            nic = self.finish(board)
        overflow = nic["lost"]["partner_host_overflow"]
        self.assertGreater(overflow, 0)
        # All that was sent since the board had its socket: a first probe may have come too early.
        accounted = nic["wire_in"]["frames"] + overflow
        self.assertGreaterEqual(accounted, BURST + 5)
        self.assertLessEqual(accounted, len(sent))


class Restart(Scenario):
    def test_a_datagram_socket_that_goes_and_comes_back(self):
        near, far = self.path("near"), self.path("far")

        def peer():
            if os.path.exists(far):
                os.unlink(far)
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.addCleanup(sock.close)
            sock.bind(far)
            return sock
        first = peer()
        board = Board(self, f"dgram:local={near},remote={far}",
                      arguments=("--json", self.path("out.json")))
        wait_for(self, lambda: os.path.exists(near), "no socket")
        reflects(self, board, *datagrams(first, near))
        first.close()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.sendto(frame(1), near)  # reflected to nobody
        time.sleep(0.3)
        reflects(self, board, *datagrams(peer(), near))
        status, out, err = board.stop()
        self.assertEqual(status, 0, out + err)
        with open(self.path("out.json"), encoding="utf-8") as file:
            self.assertGreaterEqual(json.load(file)["nics"][0]["lost"]["partner_no_peer"], 1)


if __name__ == "__main__":
    support.main()
