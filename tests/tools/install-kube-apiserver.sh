#!/usr/bin/env bash
# Puts a real kube-apiserver and etcd where the Kubernetes tests look for them (the layout that envtest uses too).
# The API server is built from Debian 12's own source package, so nothing but Debian's archive is asked; that takes some
# minutes of both cores once, and nothing when it has been done before. Needs root.
#
#   tests/tools/install-kube-apiserver.sh [FOLDER]     # default: $KUBEBUILDER_ASSETS, else /opt/kubebuilder/bin
set -euo pipefail

folder=${1:-${KUBEBUILDER_ASSETS:-/opt/kubebuilder/bin}}
version='1.20.5+really1.20.2-1.1+deb12u1'

if [ -x "$folder/kube-apiserver" ] && [ -x "$folder/etcd" ]; then
  echo "$folder already has both"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! grep -rqs '^deb-src\|^Types:.*deb-src' /etc/apt/sources.list /etc/apt/sources.list.d; then
  archive=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
  cat >/etc/apt/sources.list.d/debian-source-packages.sources <<SOURCES
Types: deb-src
URIs: $archive
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends \
  dpkg-dev etcd-server golang-go golang-1.19-go golang-github-modern-go-concurrent-dev golang-github-modern-go-reflect2-dev jq make rsync \
  >"$work/apt.log" 2>&1 || { tail -n 30 "$work/apt.log" >&2; exit 1; }

cd "$work"
apt-get -qq source --download-only "kubernetes=$version" 2>"$work/source.log" ||
  apt-get -qq source --download-only kubernetes 2>>"$work/source.log" || { cat "$work/source.log" >&2; exit 1; }
dpkg-source --extract kubernetes_*.dsc source >"$work/unpack.log"
cd source

# The copy of reflect2 in this tree panics on custom resources when Go is 1.18 or newer; Debian packages one that does not.
reflect2=vendor/github.com/modern-go/reflect2
rm -r "$reflect2"
mkdir "$reflect2"
find /usr/share/gocode/src/github.com/modern-go/reflect2 -maxdepth 1 \( -name '*.go' -o -name '*.s' \) ! -name '*_test.go' -exec cp {} "$reflect2/" \;

# Kubernetes' makefile wants to be found inside a GOPATH, and a HOME to keep its cache in.
mkdir -p .go/src/k8s.io
ln -s ../../.. .go/src/k8s.io/kubernetes
env GOPATH="$PWD/.go" PATH="/usr/lib/go-1.19/bin:$PATH" CGO_ENABLED=0 HOME="$work" KUBE_GIT_VERSION=v1.20.2 \
  make WHAT=cmd/kube-apiserver >"$work/make.log" 2>&1 || { tail -n 30 "$work/make.log" >&2; exit 1; }

mkdir -p "$folder"
install -m 755 "$(command -v etcd)" "$folder/etcd"
install -m 755 "_output/local/bin/linux/$(dpkg --print-architecture)/kube-apiserver" "$folder/kube-apiserver"
"$folder/kube-apiserver" --version
