#!/usr/bin/env bash
# Makes every certificate of this folder anew, keys included. Needs OpenSSL 3. Only the keys of the leaves that servers
# in tests use are kept; those of the authorities are thrown away.
set -euo pipefail
cd "$(dirname "$0")"
out=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > ca.cnf <<'CNF'
[ca]
default_ca = any
[any]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
email_in_dn = no
policy = policy
default_md = sha256
[policy]
organizationName = optional
commonName = optional
CNF
: > index
echo 'unique_subject = no' > index.attr
printf '[req]\ndistinguished_name = dn\n[dn]\n' > req.cnf

# key <name> <algorithm>
key() {
  case $2 in
    p256 | p384) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:P-${2#p}" -out "$1.key" ;;
    ed25519) openssl genpkey -algorithm ED25519 -out "$1.key" ;;
    rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
  esac 2> /dev/null
}

# issue <name> <issuer, or self> <algorithm> <extensions, ; between> [subject] [digest] [more arguments]
issue() {
  local name=$1 issuer=$2 algorithm=$3 extensions=$4 subject=${5:-/O=zerotrip/CN=$1} digest=${6:-sha256}
  shift 4; shift $(($# < 2 ? $# : 2))
  [ -f "$name.key" ] || key "$name" "$algorithm"
  openssl req -new -key "$name.key" -subj "$subject" -config req.cnf -out "$name.csr"
  tr ';' '\n' <<< "$extensions" > "$name.ext"
  local by=(-keyfile "$issuer.key" -cert "$issuer.pem")
  [ "$issuer" = self ] && by=(-keyfile "$name.key" -selfsign)
  openssl ca -config ca.cnf -batch -notext -in "$name.csr" -out "$name.pem" -extfile "$name.ext" -md "$digest" \
    -startdate "${START:-20200101000000Z}" -enddate "${END:-20991231235959Z}" "${by[@]}" "$@" 2> "$name.log" ||
    { cat "$name.log"; exit 1; }
  cp "$name.pem" "$out/$name.pem"
}

ca='basicConstraints=critical,CA:TRUE;keyUsage=critical,keyCertSign,cRLSign;subjectKeyIdentifier=hash'
leaf='basicConstraints=critical,CA:FALSE;keyUsage=critical,digitalSignature;extendedKeyUsage=serverAuth'
local_names='subjectAltName=DNS:localhost,DNS:zerotrip.test,IP:127.0.0.1,IP:::1'

# What servers in tests use: one authority, one leaf for each kind of key.
issue ca self p256 "$ca"
for algorithm in p256 rsa ed25519; do
  issue "leaf-$algorithm" ca $algorithm "$leaf;$local_names"
  cp "leaf-$algorithm.key" "$out/leaf-$algorithm.key"
done
