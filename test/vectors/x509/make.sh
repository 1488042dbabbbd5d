#!/usr/bin/env bash
# Makes every certificate of this folder anew, keys included, here or in the folder given. Needs OpenSSL 3. Only the keys
# of the leaves that servers in tests use are kept; those of the authorities are thrown away.
# chains.json says which chains of them are good, and why the others are not; scripts/check-certificates.mjs asks OpenSSL.
set -euo pipefail
cd "${1:-$(dirname "$0")}"
target=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir out

cat > ca.cnf <<'CNF'
[ca]
default_ca = any
[any]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
email_in_dn = yes
policy = policy
default_md = sha256
[policy]
organizationName = optional
commonName = optional
emailAddress = optional
CNF
: > index
echo 'unique_subject = no' > index.attr
printf '[req]\ndistinguished_name = dn\n[dn]\n' > req.cnf

# key <name> <algorithm>
key() {
  case $2 in
    p256 | p384 | p521) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:P-${2#p}" -out "$1.key" ;;
    ed25519) openssl genpkey -algorithm ED25519 -out "$1.key" ;;
    rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
    secp256k1) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out "$1.key" ;;
    compressed) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl ec -conv_form compressed -out "$1.key" ;;
    explicit) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out "$1.key" ;;
    rsa-exponent) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:4294967297 -out "$1.key" ;;
    rsa1024) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$1.key" ;;
  esac 2> /dev/null
}

# issue <name> <issuer, or self> <algorithm> <extensions, | between> [subject] [digest] [more arguments]
# Without extensions the certificate is of version 1. START and END change its dates, KEY takes the key of another.
issue() {
  local name=$1 issuer=$2 algorithm=$3 extensions=$4 subject=${5:-/O=zerotrip/CN=$1} digest=${6:-sha256}
  shift 4; shift $(($# < 2 ? $# : 2))
  if [ -n "${KEY:-}" ]; then cp "$KEY.key" "$name.key"; else key "$name" "$algorithm"; fi
  openssl req -new -key "$name.key" -subj "$subject" -config req.cnf -out "$name.csr"
  tr '|' '\n' <<< "$extensions" > "$name.ext"
  local by=(-keyfile "$issuer.key" -cert "$issuer.pem")
  [ "$issuer" = self ] && by=(-keyfile "$name.key" -selfsign)
  [ -n "$extensions" ] && by+=(-extfile "$name.ext")
  openssl ca -config ca.cnf -batch -notext -in "$name.csr" -out "$name.pem" -md "$digest" \
    -startdate "${START:-20200101000000Z}" -enddate "${END:-20991231235959Z}" "${by[@]}" "$@" 2> "$name.log" ||
    { cat "$name.log"; exit 1; }
}

# scenario <as issue>: adds the certificate to scenarios.pem, below a line with its name.
scenario() {
  issue "$@"
  { echo "$1"; cat "$1.pem"; } >> out/scenarios.pem
}

ca='basicConstraints=critical,CA:TRUE|keyUsage=critical,keyCertSign,cRLSign|subjectKeyIdentifier=hash'
leaf='basicConstraints=critical,CA:FALSE|keyUsage=critical,digitalSignature|extendedKeyUsage=serverAuth'
san() { echo "subjectAltName=$1"; }
host=$(san DNS:host.example.test)

# What servers in tests use: one authority, one leaf for each kind of key.
issue ca self p256 "$ca"
cp ca.pem out
for algorithm in p256 rsa ed25519; do
  issue "leaf-$algorithm" ca $algorithm "$leaf|$(san DNS:localhost,DNS:zerotrip.test,IP:127.0.0.1,IP:::1)"
  cp "leaf-$algorithm.pem" "leaf-$algorithm.key" out
done

# Signature algorithms: a root of each kind, and leaves it signed.
scenario root-rsa self rsa "$ca" '' sha384
for digest in sha256 sha384 sha512 sha1 md5; do scenario "rsa-$digest" root-rsa p256 "$leaf|$host" '' $digest; done
for size in 256 384 512; do
  scenario "pss-sha$size" root-rsa p256 "$leaf|$host" '' "sha$size" \
    -sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$((size / 8))"
done
scenario pss-odd-salt root-rsa p256 "$leaf|$host" '' sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20
scenario pss-odd-mask root-rsa p256 "$leaf|$host" '' sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 \
  -sigopt rsa_mgf1_md:sha512
scenario root-p384 self p384 "$ca" '' sha384
scenario p384-sha384 root-p384 p384 "$leaf|$host" '' sha384
scenario p384-sha256 root-p384 p256 "$leaf|$host" '' sha256
scenario root-ed25519 self ed25519 "$ca"
scenario ed25519 root-ed25519 ed25519 "$leaf|$host"
scenario rsa1024-leaf ca rsa1024 "$leaf|$host"
scenario p521-leaf ca p521 "$leaf|$host"
scenario ecdsa-sha1 ca p256 "$leaf|$host" '' sha1
scenario p256-sha384 ca p256 "$leaf|$host" '' sha384
for kind in secp256k1 compressed explicit rsa-exponent; do scenario "$kind-leaf" ca $kind "$leaf|$host"; done
scenario root-rsa1024 self rsa1024 "$ca"
scenario under-rsa1024 root-rsa1024 p256 "$leaf|$host"

# Paths.
scenario middle ca p256 "${ca/CA:TRUE/CA:TRUE,pathlen:1}"
scenario lower middle p256 "${ca/CA:TRUE/CA:TRUE,pathlen:0}"
scenario under-lower lower p256 "$leaf|$host"
scenario lowest lower p256 "$ca"
scenario under-lowest lowest p256 "$leaf|$host"
scenario lower-renewed lower p256 "$ca" /O=zerotrip/CN=lower
scenario under-lower-renewed lower-renewed p256 "$leaf|$host"
KEY=middle scenario middle-cross root-rsa p256 "$ca" /O=zerotrip/CN=middle
KEY=middle END=20210101000000Z scenario middle-expired ca p256 "$ca" /O=zerotrip/CN=middle
scenario circle-a self p256 "$ca"
scenario circle-b circle-a p256 "$ca"
KEY=circle-a scenario circle-a-by-b circle-b p256 "$ca" /O=zerotrip/CN=circle-a
scenario under-circle circle-b p256 "$leaf|$host"
scenario impostor self p256 "$ca" /O=zerotrip/CN=ca
scenario under-impostor impostor p256 "$leaf|$host"
scenario root-v1 self p256 ''
scenario under-v1 root-v1 p256 "$leaf|$host"
scenario middle-v1 ca p256 ''
scenario under-middle-v1 middle-v1 p256 "$leaf|$host"
KEY=middle START=20500101000000Z scenario middle-future ca p256 "$ca" /O=zerotrip/CN=middle
scenario lower-middle lower p256 "$ca" /O=zerotrip/CN=lower-middle
scenario under-middle middle p256 "$leaf|$host"
END=20210101000000Z scenario root-expired self p256 "$ca"
scenario under-root-expired root-expired p256 "$leaf|$host"
issue maze-0 self p256 "$ca" /CN=maze
for n in $(seq 1 15); do scenario "maze-$n" maze-0 p256 "$ca" /CN=maze; done
scenario maze-leaf maze-0 p256 "$leaf|$host"
issue long-0 self p256 "$ca"
{ echo long-0; cat long-0.pem; } >> out/scenarios.pem
for n in $(seq 1 11); do scenario "long-$n" "long-$((n - 1))" p256 "$ca"; done
for n in 10 11; do scenario "under-long-$n" "long-$n" p256 "$leaf|$host"; done

# Authorities that are none, and what they issued.
authority() {
  scenario "$1" ca p256 "$2"
  scenario "under-$1" "$1" p256 "$leaf|$host"
}
authority not-ca 'basicConstraints=critical,CA:FALSE|keyUsage=critical,keyCertSign'
authority no-basic 'keyUsage=critical,keyCertSign'
authority no-cert-sign 'basicConstraints=critical,CA:TRUE|keyUsage=critical,digitalSignature'
authority client-ca "$ca|extendedKeyUsage=clientAuth"
authority server-ca "$ca|extendedKeyUsage=serverAuth"
authority mail-ca "$ca|extendedKeyUsage=emailProtection"
authority any-ca "$ca|extendedKeyUsage=anyExtendedKeyUsage"
authority odd-ca "$ca|1.2.3.4=critical,DER:0500"
authority policy-ca "$ca|certificatePolicies=critical,1.2.3.5"
authority strict-policy-ca "$ca|policyConstraints=critical,requireExplicitPolicy:0"

# Leaves.
END=20210101000000Z scenario short-lived ca p256 "$leaf|$host"
scenario client ca p256 "${leaf/serverAuth/clientAuth}|$host"
START=20500101000000Z scenario future ca p256 "$leaf|$host"
for by in client-ca server-ca any-ca; do scenario "client-under-$by" $by p256 "${leaf/serverAuth/clientAuth}|$host"; done
scenario both-purposes ca p256 "${leaf/serverAuth/serverAuth,clientAuth}|$host"
scenario any-purpose ca p256 "${leaf/serverAuth/anyExtendedKeyUsage}|$host"
scenario bare ca p256 "$host"
scenario key-encipherment ca p256 "${leaf/digitalSignature/keyEncipherment}|$host"
scenario odd-critical ca p256 "$leaf|$host|1.2.3.4=critical,DER:0500"
scenario odd ca p256 "$leaf|$host|1.2.3.4=DER:0500"
scenario only-common-name ca p256 "$leaf" /CN=host.example.test
scenario self-signed self p256 "$host"
scenario self-signed-twin self p256 "$host" /O=zerotrip/CN=self-signed
scenario no-names ca p256 "$leaf|subjectAltName=DER:30:00" /CN=host.example.test
scenario umlaut ca p256 "$leaf|subjectAltName=DER:30:0D:82:0B:62:FC:63:68:65:72:2E:74:65:73:74"
scenario idn ca p256 "$leaf|$(san 'DNS:xn--bcher-kva.example.test,DNS:*.xn--mller-kva.example.test')"
scenario names ca p256 "$leaf|$(san 'DNS:*.wild.test,DNS:Exact.TEST,DNS:f*.part.test,DNS:*.*.twice.test,DNS:*.test,DNS:127.0.0.2,DNS:dot.test.,IP:192.0.2.1,IP:2001:db8::1,email:a@mail.test,URI:https://uri.test/,otherName:1.2.3.4;UTF8:x,dirName:dir')
[dir]
CN=directory.test"

# Name constraints. Each leaf's names say what it is about.
constrained() {
  scenario "$1" ca p256 "$ca|nameConstraints=critical,$2"
}
constrained for-example 'permitted;DNS:example.test,permitted;IP:10.0.0.0/255.0.0.0,permitted;IP:2001:db8::/ffff:ffff::,excluded;DNS:secret.example.test,excluded;IP:10.6.6.0/255.255.255.0,permitted;email:example.test'
n=0
for names in DNS:example.test,DNS:A.b.Example.test,IP:10.1.2.3,IP:2001:db8::5 DNS:other.test DNS:notexample.test \
  DNS:a.secret.example.test 'DNS:*.example.test' 'DNS:*.a.example.test' IP:11.0.0.1 IP:10.6.6.1 IP:2001:db9::1 \
  DNS:example.test,email:a@example.test DNS:example.test,URI:https://example.test/; do
  scenario "constrained-$n" for-example p256 "$leaf|$(san "$names")"
  n=$((n + 1))
done
scenario mail-inside for-example p256 "$leaf|$(san DNS:example.test)" /O=zerotrip/emailAddress=a@example.test
scenario mail-outside for-example p256 "$leaf|$(san DNS:example.test)" /O=zerotrip/emailAddress=a@other.test
scenario sub-example for-example p256 "$ca"
scenario under-sub-example sub-example p256 "$leaf|$(san DNS:other.test)"
scenario for-example-renewed for-example p256 "$ca|$(san DNS:other.test)" /O=zerotrip/CN=for-example
scenario under-for-example-renewed for-example-renewed p256 "$leaf|$host"
constrained below-dot 'permitted;DNS:.example.test'
scenario at-dot below-dot p256 "$leaf|$(san DNS:example.test)"
scenario below-dot-leaf below-dot p256 "$leaf|$host"
constrained gaps 'permitted;IP:10.0.0.0/255.0.255.0'
scenario under-gaps gaps p256 "$leaf|$(san IP:10.0.0.1,DNS:host.example.test)"
constrained stars 'excluded;DNS:*.example.test'
scenario under-stars stars p256 "$leaf|$host"
constrained no-uri 'excluded;URI:uri.test'
scenario under-no-uri no-uri p256 "$leaf|$host"
scenario uri-under-no-uri no-uri p256 "$leaf|$host,URI:https://other.test/"
constrained no-dns DER:30:06:A1:04:30:02:82:00
scenario under-no-dns no-dns p256 "$leaf|$host"
constrained for-organization 'permitted;dirName:dir
[dir]
O=zerotrip'
scenario in-organization for-organization p256 "$leaf|$host"
scenario out-of-organization for-organization p256 "$leaf|$host" /O=other/CN=x
constrained not-organization 'excluded;dirName:dir
[dir]
O=other'
scenario excluded-organization not-organization p256 "$leaf|$host"

cp out/* "$target"
