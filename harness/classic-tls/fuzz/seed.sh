#!/bin/sh
# Makes a corpus from the captured handshakes and keys in ../tests.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/transcript corpus/disclose corpus/records corpus/messages corpus/client corpus/server corpus/keys
for client in ../tests/captures/*.client; do
    name=$(basename "$client" .client)
    server=../tests/captures/$name.server
    length=$(wc -c <"$client")
    for target in transcript disclose; do
        {
            printf "\\$(printf %03o $((length / 256)))\\$(printf %03o $((length % 256)))"
            cat "$client" "$server"
        } >"corpus/$target/$name"
    done
    cp "$client" "corpus/records/$name.client"
    cp "$server" "corpus/records/$name.server"
    cp "$client" "corpus/server/$name"
    cp "$server" "corpus/client/$name"
    # The first message of either side, behind the byte that chooses its parser.
    { printf '\000'; tail -c +10 "$client"; } >"corpus/messages/$name.client"
    { printf '\001'; tail -c +10 "$server"; } >"corpus/messages/$name.server"
done
cp ../tests/keys/*.der ../tests/captures/server-key.der corpus/keys/
