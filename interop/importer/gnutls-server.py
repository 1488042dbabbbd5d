# GnuTLS as the TLS of a QUIC server, message by message over standard input and output: a line of JSON for each.
#
#   in:  {"level": 0, "data": "hex"}          handshake messages of the client
#   out: {"level": 0, "data": "hex"}          those of the server
#        {"secret": level, "read": "hex", "write": "hex"}
#        {"identity": "hex"}                  the PSK identity as it came
#        {"done": true} or {"error": "..."}
#
# The external PSK is the first argument, hex; GnuTLS imports it (RFC 9258, from version 3.8.1 on).

import ctypes as c
import json
import sys

gnutls = c.CDLL('libgnutls.so.30')
EPSK = bytes.fromhex(sys.argv[1])
SERVER, NO_AUTO_SEND_TICKET, NO_END_OF_EARLY_DATA = 1, 1 << 17, 1 << 18
NO_TICKETS = 1 << 10
CRD_PSK, EXT_TLS = 4, 2
IN_CLIENT_HELLO, IN_EE, FOR_TLS = 1 << 1, 1 << 4, 1 << 7
KEY_EXT = 2
E_AGAIN = -28
TRANSPORT_PARAMETERS = 0x39


class Datum(c.Structure):
    _fields_ = [('data', c.POINTER(c.c_ubyte)), ('size', c.c_uint)]


def say(**what):
    print(json.dumps(what), flush=True)


def check(code, what):
    if code < 0:
        gnutls.gnutls_strerror.restype = c.c_char_p
        say(error=f'{what}: {gnutls.gnutls_strerror(code).decode()}')
        sys.exit(0)


gnutls.gnutls_malloc_ = c.c_void_p.in_dll(gnutls, 'gnutls_malloc')
malloc = c.CFUNCTYPE(c.c_void_p, c.c_size_t)(gnutls.gnutls_malloc_.value)


@c.CFUNCTYPE(c.c_int, c.c_void_p, c.POINTER(Datum), c.POINTER(Datum), c.POINTER(c.c_uint))
def find_key(session, identity, key, flags):
    say(identity=c.string_at(identity[0].data, identity[0].size).hex())
    memory = malloc(len(EPSK))
    c.memmove(memory, EPSK, len(EPSK))
    key[0].data = c.cast(memory, c.POINTER(c.c_ubyte))
    key[0].size = len(EPSK)
    flags[0] = KEY_EXT
    return 0


@c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int, c.c_void_p, c.c_void_p, c.c_size_t)
def on_secret(session, level, read, write, size):
    take = lambda at: c.string_at(at, size).hex() if at else None
    say(secret=level, read=take(read), write=take(write))
    return 0


@c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int, c.c_int, c.c_void_p, c.c_size_t)
def on_message(session, level, kind, data, size):
    # No change_cipher_spec in QUIC.
    if kind != 254:
        say(level=level, data=c.string_at(data, size).hex())
    return 0


@c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int, c.c_int, c.c_int)
def on_alert(session, level, alert_level, alert):
    say(error=f'alert {alert}')
    return 0


@c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_size_t)
def take_parameters(session, data, size):
    return 0


@c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p)
def give_parameters(session, buffer):
    parameters = bytes([4, 1, 9])
    check(gnutls.gnutls_buffer_append_data(c.c_void_p(buffer), parameters, c.c_size_t(len(parameters))), 'parameters')
    return len(parameters)


session, credentials = c.c_void_p(), c.c_void_p()
flags = SERVER | NO_AUTO_SEND_TICKET | NO_END_OF_EARLY_DATA | NO_TICKETS
check(gnutls.gnutls_init(c.byref(session), c.c_uint(flags)), 'init')
priority = b'NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+PSK:+DHE-PSK:+ECDHE-PSK:%DISABLE_TLS13_COMPAT_MODE'
check(gnutls.gnutls_priority_set_direct(session, priority, None), 'priority')
check(gnutls.gnutls_psk_allocate_server_credentials(c.byref(credentials)), 'credentials')
gnutls.gnutls_psk_set_server_credentials_function3(credentials, find_key)
check(gnutls.gnutls_credentials_set(session, CRD_PSK, credentials), 'credentials')
alpn = c.create_string_buffer(b'h3', 2)
protocols = (Datum * 1)(Datum(c.cast(alpn, c.POINTER(c.c_ubyte)), 2))
check(gnutls.gnutls_alpn_set_protocols(session, protocols, 1, 0), 'alpn')
place = IN_CLIENT_HELLO | IN_EE | FOR_TLS
check(
    gnutls.gnutls_session_ext_register(
        session, b'QUIC', TRANSPORT_PARAMETERS, EXT_TLS, take_parameters, give_parameters, None, None, None, place
    ),
    'extension',
)
gnutls.gnutls_handshake_set_secret_function(session, on_secret)
gnutls.gnutls_handshake_set_read_function(session, on_message)
gnutls.gnutls_alert_set_read_function(session, on_alert)
gnutls.gnutls_handshake_set_timeout(session, 0)

for line in sys.stdin:
    message = json.loads(line)
    data = bytes.fromhex(message['data'])
    check(gnutls.gnutls_handshake_write(session, message['level'], data, c.c_size_t(len(data))), 'write')
    code = gnutls.gnutls_handshake(session)
    if code == 0:
        say(done=True)
        break
    if code != E_AGAIN:
        check(code, 'handshake')
