#!/usr/bin/env bash
# GnuTLS that knows the importer (RFC 9258: from 3.8.1 on), unpacked into .cache/gnutls beside the system's own: with the C
# library it was built for, so that nothing of the system changes.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD/.cache/gnutls
[ -e "$root/ready" ] && exit 0
rm -rf "$root" && mkdir -p "$root"/{lists/partial,cache/archives/partial,files}
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/*$')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$root/sources.list"
apt=(
  -o "Dir::Etc::sourcelist=$root/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$root/lists"
  -o "Dir::Cache=$root/cache" -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
  -o APT::Sandbox::User=root
)
apt-get "${apt[@]}" update -qq
(cd "$root/files" && apt-get "${apt[@]}" download -qq libgnutls30t64 libp11-kit0 libidn2-0 libunistring5 libtasn1-6 \
  libhogweed6t64 libnettle8t64 libgmp10 libffi8 libc6 zlib1g libgcc-s1 libbrotli1 libzstd1)
for package in "$root"/files/*.deb; do dpkg-deb -x "$package" "$root/root"; done
rm -rf "$root"/{lists,cache,files}
touch "$root/ready"
