/* How many bytes nghttp3's QPACK encoder needs for lists of fields, everything acknowledged at once.
   Reads lines "name<TAB>value", an empty line after each list; prints bytes of sections and of the encoder stream. */
#include <nghttp3/nghttp3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 64

int main(int argc, char **argv) {
  size_t capacity = argc > 1 ? (size_t)atol(argv[1]) : 4096;
  const nghttp3_mem *mem = nghttp3_mem_default();
  nghttp3_qpack_encoder *encoder;
  nghttp3_nv fields[MAX_FIELDS];
  char *lines[MAX_FIELDS];
  size_t count = 0, sections = 0, instructions = 0;
  int64_t id = 0;
  char line[65536];

  if (nghttp3_qpack_encoder_new(&encoder, capacity, mem) != 0) return 1;
  nghttp3_qpack_encoder_set_max_dtable_capacity(encoder, capacity);
  nghttp3_qpack_encoder_set_max_blocked_streams(encoder, 100);
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = 0;
    if (line[0] != 0) {
      char *tab;
      if (count == MAX_FIELDS) return 1;
      lines[count] = strdup(line);
      tab = strchr(lines[count], '\t');
      *tab = 0;
      fields[count] = (nghttp3_nv){(uint8_t *)lines[count], (uint8_t *)tab + 1, (size_t)(tab - lines[count]),
                                   strlen(tab + 1), NGHTTP3_NV_FLAG_NONE};
      count++;
      continue;
    }
    nghttp3_buf prefix, section, stream;
    nghttp3_buf_init(&prefix);
    nghttp3_buf_init(&section);
    nghttp3_buf_init(&stream);
    if (nghttp3_qpack_encoder_encode(encoder, &prefix, &section, &stream, id, fields, count) != 0) return 1;
    sections += nghttp3_buf_len(&prefix) + nghttp3_buf_len(&section);
    instructions += nghttp3_buf_len(&stream);
    nghttp3_buf_free(&prefix, mem);
    nghttp3_buf_free(&section, mem);
    nghttp3_buf_free(&stream, mem);
    nghttp3_qpack_encoder_ack_everything(encoder);
    while (count > 0) free(lines[--count]);
    id += 4;
  }
  printf("%zu %zu\n", sections, instructions);
  nghttp3_qpack_encoder_del(encoder);
  return 0;
}
