#!/usr/bin/env bash
# Checks a signed bundle with coreutils, findutils, diffutils and openssl alone, as an auditor would who does not trust auditcli.
#
#   verify-without-auditcli.sh BUNDLE PUBLIC-KEY.pem [TSA-ROOT.pem]
#
# Obtain PUBLIC-KEY.pem and TSA-ROOT.pem from their owners, never from the bundle. If every check succeeds, the script prints what you
# compare with your own notes, the head and the number in the chain, and exits with 0. Otherwise it prints one line that says what is
# wrong and exits with 1.
set -uo pipefail
export LC_ALL=C
[ $# -eq 2 ] || [ $# -eq 3 ] || { echo "usage: $0 BUNDLE PUBLIC-KEY.pem [TSA-ROOT.pem]" >&2; exit 1; }
key=$(realpath -e -- "$2") || exit 1
root=${3:+$(realpath -e -- "$3")} || exit 1
no() { printf 'NO: %s\n' "$*"; exit 1; }

# A key or root that came with a bundle was put there by whoever made it.
for file in "$key" ${root:+"$root"}; do
  folder=$file
  while [ "$folder" != / ]; do
    folder=$(dirname -- "$folder")
    [ ! -e "$folder/tagmanifest-sha256.txt" ] || no "$file lies inside a bundle and proves nothing; get it from the one it belongs to, by another way"
  done
done

# Before anything is opened: a pipe would wait for ever, and a link would lead elsewhere.
[ ! -f "$1" ] || no "$1 is a file: unpack it (tar -xf, unzip) and name the folder"
[ ! -L "${1%/}" ] && [ -d "$1" ] && cd -- "$1" || no 'there is no such folder'
[ -z "$(find . -mindepth 1 ! -type f ! -type d -print -quit)" ] || no 'there is a link, a pipe or a device in the bundle'
[ -z "$(find . -mindepth 1 -type d -empty -print -quit)" ] || no 'there is an empty folder in the bundle'
for file in statement.json statement.sig statement.sigstore.json signer.pub.pem; do
  [ -f "attestation/$file" ] || no "attestation/$file is missing"
done

# The signature covers the statement's type and bytes (DSSE), not the file alone.
{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(stat -c %s attestation/statement.json)"; cat attestation/statement.json; } |
  openssl dgst -sha256 -verify "$key" -signature attestation/statement.sig > /dev/null 2>&1 || no 'the signature is not by that key over this statement'

# The statement is one line without white space and with ordered members, so a pattern finds a member for certain; every
# pattern must be found once, and a text that a signer chose cannot hold an unescaped quotation mark.
member() {
  local found
  found=$(grep -oE "$1" attestation/statement.json) && [ "$(printf '%s\n' "$found" | wc -l)" -eq 1 ] || return 1
  printf '%s\n' "$found" | grep -oE "$2" | tail -n 1
}
digest='[0-9a-f]{64}'
seen=$(member '"subject":\[\{"digest":\{"sha256":"[0-9a-f]{64}"\},"name":"tagmanifest-sha256\.txt"\}\]' "$digest") || no 'the statement is not about tagmanifest-sha256.txt'
signer=$(member '"signer":\{"algorithm":"ecdsa-p256-sha256","fileSha256":"[0-9a-f]{64}","spkiSha256":"[0-9a-f]{64}"\}' "$digest") || no 'the statement names no key'
shown=$(member '"fileSha256":"[0-9a-f]{64}"' "$digest") || no 'the statement names no file with the key'
number=$(member '"sequence":[0-9]+\}' '[0-9]+') || no 'the statement has no number'
stamp=$(member '"timestamp":"(rfc3161|none)"' 'rfc3161|none') || no 'the statement does not say whether it has a time stamp'
grep -qF '"predicateType":"urn:auditcli:attestation:evidence-bundle:v1"' attestation/statement.json || no 'the statement is of another type'

# The key named in what is signed is the key that signed: an old signature can be made to fit a new key.
own=$(openssl pkey -pubin -in "$key" -outform DER 2> /dev/null | sha256sum | cut -c 1-64)
[ "$own" = "$signer" ] || no "the statement names the key $signer, and yours is $own"
[ "$(sha256sum < attestation/signer.pub.pem | cut -c 1-64)" = "$shown" ] || no 'attestation/signer.pub.pem is not the one that was signed'

# The time stamp is over the signature.
if [ "$stamp" = rfc3161 ] || [ -e attestation/statement.tsr ]; then
  [ "$stamp" = rfc3161 ] && [ -e attestation/statement.tsr ] || no 'the statement and the files do not agree about a time stamp'
fi
when='none'
if [ -n "$root" ]; then
  [ "$stamp" = rfc3161 ] || no 'there is no time stamp'
  when=$(openssl ts -reply -in attestation/statement.tsr -text 2> /dev/null | sed -n 's/^Time stamp: //p')
  at=$(date -u -d "$when" +%s 2> /dev/null) || no 'the time stamp cannot be read'
  # The authority's certificate may have expired since, so it is judged at the time that it stamped.
  openssl ts -verify -data attestation/statement.sig -in attestation/statement.tsr -CAfile "$root" -attime "$at" > /dev/null 2>&1 ||
    no 'the time stamp is not by that authority over this signature'
  [ "$at" -le "$(($(date +%s) + 300))" ] || no 'the time stamp is yet to come'
fi

# From the statement down: the tag manifest, the manifest, every file, and no other file.
[ "$(sha256sum < tagmanifest-sha256.txt | cut -c 1-64)" = "$seen" ] || no 'tagmanifest-sha256.txt is not the one that was signed'
[ -z "$(cut -c 67- tagmanifest-sha256.txt | diff - <(printf '%s\n' bag-info.txt bagit.txt manifest-sha256.txt))" ] || no 'tagmanifest-sha256.txt lists other files than it must'
sha256sum -c --strict --quiet tagmanifest-sha256.txt > /dev/null 2>&1 || no 'a tag file is not the one that was signed'
! grep -qvE '^[0-9a-f]{64}  data/([a-z0-9][a-z0-9._-]*/)*[a-z0-9][a-z0-9._-]*$' manifest-sha256.txt || no 'manifest-sha256.txt has a line of another form'
cut -c 67- manifest-sha256.txt | sort -uc 2> /dev/null || no 'manifest-sha256.txt is out of order, or names a file twice'
sha256sum -c --strict --quiet manifest-sha256.txt > /dev/null 2>&1 || no 'a file changed or is missing: sha256sum -c --strict --quiet manifest-sha256.txt'
listed() {
  cut -c 67- manifest-sha256.txt tagmanifest-sha256.txt
  printf '%s\n' tagmanifest-sha256.txt attestation/signer.pub.pem attestation/statement.json attestation/statement.sig attestation/statement.sigstore.json
  [ "$stamp" = none ] || echo attestation/statement.tsr
}
[ -z "$(diff <(find . -type f -printf '%P\n' | sort) <(listed | sort))" ] || no 'there are files that nothing vouches for'

printf 'holds: %s files, signed by %s\n' "$(wc -l < manifest-sha256.txt)" "$own"
printf 'time stamp: %s\n' "$when"
printf 'number %s of its chain, head %s\n' "$number" "$(sha256sum < attestation/statement.json | cut -c 1-64)"
shards=$(grep -c '  data/shards/.*[.]tar$' manifest-sha256.txt)
[ "$shards" -eq 0 ] || printf 'NOT CHECKED INSIDE: %s shards; unpack each of data/shards/*.tar and name its folder to this script\n' "$shards"
echo 'Compare number and head with those you kept: an older bundle of the same signer holds too.'
