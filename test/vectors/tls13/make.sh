#!/usr/bin/env bash
# Makes everything here anew, good from 2020 to 2099: a P-384 key with a certificate signed by itself, and an authority
# for clients with one client. Needs OpenSSL 3.
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

# An authority for clients, its key thrown away, and one client of it.
printf '[ca]\ndefault_ca=any\n[any]\ndatabase=%s/index\nnew_certs_dir=%s\nrand_serial=yes\npolicy=policy\ndefault_md=sha256\n[policy]\ncommonName=optional\n' "$work/clients" "$work/clients" > "$work/ca.cnf"
mkdir "$work/clients"
: > "$work/clients/index"
issue() { # issue <name> <subject> <extensions> <more options>...
  printf '%s\n' "$3" > "$work/extensions"
  openssl req -new -key "$1.key" -subj "$2" -out "$work/csr" -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n')
  openssl ca -batch -notext -config "$work/ca.cnf" -in "$work/csr" -out "$1.pem" -extfile "$work/extensions" \
    -startdate 20200101000000Z -enddate 20991231000000Z "${@:4}"
}
for name in client-ca client; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key"; done
issue client-ca '/CN=zerotrip clients' $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign' -selfsign -keyfile client-ca.key
issue client '/CN=alice' $'keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth' -cert client-ca.pem -keyfile client-ca.key
rm client-ca.key
