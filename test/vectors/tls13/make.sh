#!/usr/bin/env bash
# Makes the one P-384 key and its self-signed certificate anew, good from 2020 to 2099. Needs OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key
openssl req -new -key p384.key -subj /CN=localhost -out "$work/p384.csr"
: > "$work/index"
cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = self
[self]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha384
policy = policy
x509_extensions = leaf
[policy]
commonName = supplied
[leaf]
subjectAltName = DNS:localhost
CNF
openssl ca -batch -notext -selfsign -keyfile p384.key -config "$work/ca.cnf" \
  -startdate 20200101000000Z -enddate 20991231235959Z -in "$work/p384.csr" -out p384.pem 2> /dev/null
chmod 644 p384.key p384.pem
