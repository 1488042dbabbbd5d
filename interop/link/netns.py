"""Network namespaces without a name, each with one TUN interface whose other end is here.

A process holds each of them. It ends with us, however we end, and with the last process inside everything is gone:
nothing can be left behind, and nothing outside is touched.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import tempfile

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC_PRIVATE = 0x4000 | 0x40000
PR_SET_PDEATHSIG = 1
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x0001 | 0x1000
INTERFACE = 'link0'

libc = ctypes.CDLL(None, use_errno=True)


class Side:
    """`pid`: a process inside, for nsenter; `tun`: reads what is sent in there, and writes what arrives."""

    def __init__(self, addresses, hosts):
        """`addresses`: with their prefix length; `hosts`: what /etc/hosts says inside."""
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _hold(theirs, parent, addresses, hosts)
        theirs.close()
        message, self._fds, _, _ = socket.recv_fds(ours, 4096, 1)
        if not self._fds:
            raise OSError(message.decode() or 'the namespace could not be made')
        self.tun = self._fds[0]
        os.set_blocking(self.tun, False)
        self._socket = ours

    def close(self):
        os.close(self.tun)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _hold(channel, parent, addresses, hosts):
    try:
        _call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)
        _call(libc.unshare, CLONE_NEWNET | CLONE_NEWNS)
        _call(libc.mount, b'none', b'/', None, MS_REC_PRIVATE, None)
        _mount_hosts(hosts)
        tun = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack('16sH22x', INTERFACE.encode(), IFF_TUN_NO_PI))
        _configure(addresses)
        socket.send_fds(channel, [b'ready'], [tun])
        os.close(tun)
    except Exception as error:
        channel.send(f'no network namespace: {error}'.encode()[:4000])
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open('/dev/null', os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    while True:
        signal.pause()


def _mount_hosts(hosts):
    with tempfile.NamedTemporaryFile('w', prefix='interop-hosts-') as file:
        file.write(hosts)
        file.flush()
        os.chmod(file.name, 0o644)
        _call(libc.mount, file.name.encode(), b'/etc/hosts', None, MS_BIND, None)


def _configure(addresses):
    lines = ['link set lo up', f'link set {INTERFACE} mtu 1500 up']
    for address in addresses:
        is_ipv6 = ':' in address
        lines.append(f'addr add {address} dev {INTERFACE}' + (' nodad' if is_ipv6 else ''))
        lines.append(f'route add {"::/0" if is_ipv6 else "0.0.0.0/0"} dev {INTERFACE}')
    # No router solicitations and the like in captures.
    with open(f'/proc/sys/net/ipv6/conf/{INTERFACE}/addr_gen_mode', 'w') as file:
        file.write('1')
    done = subprocess.run(['ip', '-batch', '-'], input='\n'.join(lines), text=True, capture_output=True)
    if done.returncode != 0:
        raise OSError(f'ip: {done.stderr.strip()}')


def _call(function, *args):
    if function(*args) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
