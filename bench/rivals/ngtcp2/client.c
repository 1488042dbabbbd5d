/* ngtcp2 with GnuTLS, on their public API, as a client for benchmarks of first requests: how it is started and asked is
 * in ../contender.mjs. HTTP/3 is as little as one GET needs. The server is the one Debian packages, gtlsserver. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define ID_LENGTH 8
#define WINDOW (4u << 20)
#define PARAMETERS_MAX 512
#define PACKET_MAX 1452
/* A contact that takes longer has failed. */
#define PATIENCE (10 * NGTCP2_SECONDS)

/* What a connection leaves to the next one. */
static struct {
  gnutls_datum_t session;
  uint8_t parameters[PARAMETERS_MAX];
  size_t parameters_length;
} kept;

struct outgoing {
  int64_t id;
  uint8_t data[256];
  size_t length;
  size_t sent;
  uint8_t fin;
};

struct contact {
  ngtcp2_crypto_conn_ref reference;
  ngtcp2_conn *conn;
  gnutls_session_t session;
  int socket;
  struct sockaddr_storage local, remote;
  ngtcp2_path path;
  struct outgoing control, request;
  int is_resumable, has_ticket, is_confirmed, has_answer, is_early, has_failed;
  /* Of the stream of the answer, frames and all. */
  size_t received;
};

static ngtcp2_tstamp now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (ngtcp2_tstamp)time.tv_sec * NGTCP2_SECONDS + (ngtcp2_tstamp)time.tv_nsec;
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void random_bytes(uint8_t *destination, size_t length) {
  if (gnutls_rnd(GNUTLS_RND_RANDOM, destination, length) != 0) fail("gnutls_rnd", "failed");
}

static void on_rand(uint8_t *destination, size_t length, const ngtcp2_rand_ctx *context) {
  (void)context;
  random_bytes(destination, length);
}

static int on_new_connection_id(ngtcp2_conn *conn, ngtcp2_cid *id, uint8_t *token, size_t length, void *user) {
  (void)conn, (void)user;
  id->datalen = length;
  random_bytes(id->data, length);
  random_bytes(token, NGTCP2_STATELESS_RESET_TOKENLEN);
  return 0;
}

static int on_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data,
                          size_t length, void *user, void *stream) {
  struct contact *contact = user;
  (void)offset, (void)data, (void)stream;
  ngtcp2_conn_extend_max_stream_offset(conn, id, length);
  ngtcp2_conn_extend_max_offset(conn, length);
  if (id != contact->request.id) return 0;
  contact->received += length;
  if (flags & NGTCP2_STREAM_DATA_FLAG_FIN) contact->has_answer = 1;
  return 0;
}

static int on_completed(ngtcp2_conn *conn, void *user) {
  struct contact *contact = user;
  contact->is_early = (gnutls_session_get_flags(contact->session) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
  if (contact->is_resumable && kept.session.size > 0 && !contact->is_early) return ngtcp2_conn_early_data_rejected(conn);
  return 0;
}

static int on_confirmed(ngtcp2_conn *conn, void *user) {
  (void)conn;
  ((struct contact *)user)->is_confirmed = 1;
  return 0;
}

static ngtcp2_conn *conn_of(ngtcp2_crypto_conn_ref *reference) { return ((struct contact *)reference->user_data)->conn; }

static int on_ticket(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                     const gnutls_datum_t *message) {
  struct contact *contact = ((ngtcp2_crypto_conn_ref *)gnutls_session_get_ptr(session))->user_data;
  (void)type, (void)when, (void)incoming, (void)message;
  if (!contact->is_resumable) return 0;
  gnutls_free(kept.session.data);
  if (gnutls_session_get_data2(session, &kept.session) != 0) fail("gnutls_session_get_data2", "failed");
  const ngtcp2_transport_params *parameters = ngtcp2_conn_get_remote_transport_params(contact->conn);
  ngtcp2_ssize length = ngtcp2_encode_transport_params(kept.parameters, PARAMETERS_MAX,
                                                       NGTCP2_TRANSPORT_PARAMS_TYPE_ENCRYPTED_EXTENSIONS, parameters);
  if (length < 0) fail("ngtcp2_encode_transport_params", ngtcp2_strerror((int)length));
  kept.parameters_length = (size_t)length;
  contact->has_ticket = 1;
  return 0;
}

static const ngtcp2_callbacks callbacks = {
    .client_initial = ngtcp2_crypto_client_initial_cb,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .handshake_completed = on_completed,
    .handshake_confirmed = on_confirmed,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = ngtcp2_crypto_decrypt_cb,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .recv_stream_data = on_stream_data,
    .recv_retry = ngtcp2_crypto_recv_retry_cb,
    .rand = on_rand,
    .get_new_connection_id = on_new_connection_id,
    .update_key = ngtcp2_crypto_update_key_cb,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
};

static void start_tls(struct contact *contact, gnutls_certificate_credentials_t credentials) {
  static const gnutls_datum_t alpn = {(unsigned char *)"h3", 2};
  gnutls_session_t session;
  gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_ENABLE_EARLY_DATA | GNUTLS_NO_END_OF_EARLY_DATA);
  contact->session = session;
  contact->reference.get_conn = conn_of;
  contact->reference.user_data = contact;
  gnutls_session_set_ptr(session, &contact->reference);
  if (ngtcp2_crypto_gnutls_configure_client_session(session) != 0) fail("gnutls", "not configured");
  if (gnutls_priority_set_direct(session, PRIORITY, NULL) != 0) fail("gnutls", "priority");
  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST, on_ticket);
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_server_name_set(session, GNUTLS_NAME_DNS, "localhost", strlen("localhost"));
  gnutls_session_set_verify_cert(session, "localhost", 0);
  gnutls_alpn_set_protocols(session, &alpn, 1, GNUTLS_ALPN_MANDATORY);
  if (contact->is_resumable && kept.session.size > 0) {
    gnutls_session_set_data(session, kept.session.data, kept.session.size);
  }
}

static void start_quic(struct contact *contact) {
  ngtcp2_settings settings;
  ngtcp2_transport_params parameters;
  ngtcp2_cid scid = {.datalen = ID_LENGTH}, dcid = {.datalen = ID_LENGTH};
  ngtcp2_settings_default(&settings);
  settings.initial_ts = now();
  ngtcp2_transport_params_default(&parameters);
  parameters.initial_max_data = WINDOW;
  parameters.initial_max_stream_data_bidi_local = WINDOW;
  parameters.initial_max_stream_data_uni = WINDOW;
  parameters.initial_max_streams_uni = 3;
  parameters.active_connection_id_limit = 4;
  random_bytes(scid.data, ID_LENGTH);
  random_bytes(dcid.data, ID_LENGTH);
  int result = ngtcp2_conn_client_new(&contact->conn, &dcid, &scid, &contact->path, NGTCP2_PROTO_VER_V1, &callbacks,
                                      &settings, &parameters, NULL, contact);
  if (result != 0) fail("ngtcp2_conn_client_new", ngtcp2_strerror(result));
  ngtcp2_conn_set_tls_native_handle(contact->conn, contact->session);
  if (!contact->is_resumable || kept.session.size == 0) return;
  ngtcp2_transport_params early;
  result = ngtcp2_decode_transport_params(&early, NGTCP2_TRANSPORT_PARAMS_TYPE_ENCRYPTED_EXTENSIONS, kept.parameters,
                                          kept.parameters_length);
  if (result != 0) fail("ngtcp2_decode_transport_params", ngtcp2_strerror(result));
  ngtcp2_conn_set_early_remote_transport_params(contact->conn, &early);
}

static void add(struct outgoing *stream, const void *data, size_t length) {
  memcpy(stream->data + stream->length, data, length);
  stream->length += length;
}

/* A control stream with empty SETTINGS, and one HEADERS frame of static names (RFC 9114, RFC 9204 appendix A). */
static void prepare_request(struct contact *contact, const char *path) {
  static const uint8_t settings[] = {0x00, 0x04, 0x00};
  static const uint8_t get_https[] = {0x00, 0x00, 0xd1, 0xd7};
  static const char authority[] = "localhost";
  struct outgoing *request = &contact->request;
  const uint8_t path_name[] = {0x51, (uint8_t)strlen(path)}, authority_name[] = {0x50, sizeof authority - 1};
  const size_t length = sizeof get_https + sizeof path_name + strlen(path) + sizeof authority_name + sizeof authority - 1;
  const uint8_t header[] = {0x01, (uint8_t)length};
  if (length > 63) fail("path", "too long");
  add(&contact->control, settings, sizeof settings);
  add(request, header, sizeof header);
  add(request, get_https, sizeof get_https);
  add(request, path_name, sizeof path_name);
  add(request, path, strlen(path));
  add(request, authority_name, sizeof authority_name);
  add(request, authority, sizeof authority - 1);
  request->fin = 1;
  contact->control.id = request->id = -1;
}

/* As soon as the other side allows it: at once with its parameters of before. */
static void open_streams(struct contact *contact) {
  if (contact->request.id >= 0) return;
  if (ngtcp2_conn_open_uni_stream(contact->conn, &contact->control.id, NULL) != 0) return;
  if (ngtcp2_conn_open_bidi_stream(contact->conn, &contact->request.id, NULL) != 0) contact->request.id = -1;
}

static struct outgoing *next_stream(struct contact *contact) {
  struct outgoing *streams[] = {&contact->control, &contact->request};
  for (size_t i = 0; i < 2; i++) {
    if (streams[i]->id >= 0 && streams[i]->sent < streams[i]->length) return streams[i];
  }
  return NULL;
}

static void write_packets(struct contact *contact) {
  uint8_t packet[PACKET_MAX];
  for (;;) {
    struct outgoing *stream = next_stream(contact);
    ngtcp2_vec vector = {0};
    uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
    ngtcp2_ssize taken = -1;
    if (stream != NULL) {
      vector = (ngtcp2_vec){stream->data + stream->sent, stream->length - stream->sent};
      flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (stream->fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0u);
    }
    ngtcp2_path_storage path;
    ngtcp2_pkt_info info;
    ngtcp2_path_storage_zero(&path);
    ngtcp2_ssize written =
        ngtcp2_conn_writev_stream(contact->conn, &path.path, &info, packet, sizeof packet, &taken, flags,
                                  stream == NULL ? -1 : stream->id, &vector, stream == NULL ? 0 : 1, now());
    if (taken > 0) stream->sent += (size_t)taken;
    if (written == NGTCP2_ERR_WRITE_MORE) continue;
    if (written < 0) fail("ngtcp2_conn_writev_stream", ngtcp2_strerror((int)written));
    if (written == 0) return;
    if (send(contact->socket, packet, (size_t)written, 0) < 0) fail("send", strerror(errno));
  }
}

/* What came within the time until the next timer. */
static void read_packets(struct contact *contact) {
  uint8_t packet[65536];
  ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(contact->conn), time = now();
  ngtcp2_duration wait = expiry <= time ? 0 : expiry - time;
  if (wait > NGTCP2_SECONDS) wait = NGTCP2_SECONDS;
  struct timespec timeout = {.tv_sec = (time_t)(wait / NGTCP2_SECONDS), .tv_nsec = (long)(wait % NGTCP2_SECONDS)};
  struct pollfd readable = {.fd = contact->socket, .events = POLLIN};
  ppoll(&readable, 1, &timeout, NULL);
  for (;;) {
    ssize_t length = recv(contact->socket, packet, sizeof packet, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (length < 0) fail("recv", strerror(errno));
    ngtcp2_pkt_info info = {0};
    int result = ngtcp2_conn_read_pkt(contact->conn, &contact->path, &info, packet, (size_t)length, now());
    if (result != 0) fail("ngtcp2_conn_read_pkt", ngtcp2_strerror(result));
    if (contact->has_answer) return;
  }
  if (ngtcp2_conn_get_expiry(contact->conn) <= now()) {
    int result = ngtcp2_conn_handle_expiry(contact->conn, now());
    if (result != 0) fail("ngtcp2_conn_handle_expiry", ngtcp2_strerror(result));
  }
}

static void end(struct contact *contact) {
  uint8_t packet[PACKET_MAX];
  ngtcp2_path_storage path;
  ngtcp2_pkt_info info;
  ngtcp2_connection_close_error error;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_connection_close_error_default(&error);
  ngtcp2_ssize written =
      ngtcp2_conn_write_connection_close(contact->conn, &path.path, &info, packet, sizeof packet, &error, now());
  if (written > 0) send(contact->socket, packet, (size_t)written, 0);
  ngtcp2_conn_del(contact->conn);
  gnutls_deinit(contact->session);
  close(contact->socket);
}

static void make_contact(const struct sockaddr_in *remote, gnutls_certificate_credentials_t credentials,
                         const char *variant, const char *path) {
  struct contact contact = {.is_resumable = strcmp(variant, "0rtt") == 0};
  const ngtcp2_tstamp begun = now();
  socklen_t length = sizeof contact.local;
  contact.socket = socket(AF_INET, SOCK_DGRAM, 0);
  memcpy(&contact.remote, remote, sizeof *remote);
  if (connect(contact.socket, (const struct sockaddr *)remote, sizeof *remote) != 0) fail("connect", strerror(errno));
  getsockname(contact.socket, (struct sockaddr *)&contact.local, &length);
  contact.path = (ngtcp2_path){.local = {(struct sockaddr *)&contact.local, sizeof *remote},
                               .remote = {(struct sockaddr *)&contact.remote, sizeof *remote}};
  prepare_request(&contact, path);
  start_tls(&contact, credentials);
  start_quic(&contact);
  while (!contact.has_answer && now() - begun < PATIENCE) {
    open_streams(&contact);
    write_packets(&contact);
    read_packets(&contact);
  }
  const double ms = (double)(now() - begun) / NGTCP2_MILLISECONDS;
  while ((!contact.is_confirmed || (contact.is_resumable && !contact.has_ticket)) && now() - begun < PATIENCE) {
    write_packets(&contact);
    read_packets(&contact);
  }
  if (!contact.has_answer) fail("contact", "no answer in time");
  const size_t wanted = strncmp(path, "/bytes/", 7) == 0 ? strtoul(path + 7, NULL, 10) : 100;
  if (contact.received < wanted) fail("contact", "an answer that is too short");
  end(&contact);
  printf("{\"ms\": %.4f, \"isEarly\": %s}\n", ms, contact.is_early ? "true" : "false");
  fflush(stdout);
}

int main(int count, char **arguments) {
  if (count != 4) fail("usage", "client ADDRESS:PORT CERTIFICATES");
  char *address = arguments[2], *colon = strrchr(address, ':');
  char authority[4096], line[256], variant[16], path[128];
  struct sockaddr_in remote = {.sin_family = AF_INET};
  gnutls_certificate_credentials_t credentials;
  if (colon == NULL) fail("address", "has no port");
  *colon = '\0';
  remote.sin_port = htons((uint16_t)atoi(colon + 1));
  if (inet_pton(AF_INET, address, &remote.sin_addr) != 1) fail("address", "is not one of IPv4");
  snprintf(authority, sizeof authority, "%s/ca.pem", arguments[3]);
  gnutls_certificate_allocate_credentials(&credentials);
  if (gnutls_certificate_set_x509_trust_file(credentials, authority, GNUTLS_X509_FMT_PEM) < 1) fail("ca.pem", "is empty");
  printf("{\"ready\": true}\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "%15s %127s", variant, path) != 2) fail("input", "wants a variant and a path");
    make_contact(&remote, credentials, variant, path);
  }
  return 0;
}
