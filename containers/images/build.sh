#!/bin/sh
# Builds a Postfix source tree in a Debian system that keeps the tree, its objects and what building takes:
#
#   build TREE RESULT JOBS
#
# A tree with debian/rules is configured by them, any other with the same directories and libraries as Debian's package;
# either is installed by its own postfix-install(1), below RESULT, with the libraries beside it that building brought.
set -eu
tree=$1 result=$2 jobs=$3
cd "$tree"
# Git keeps no empty directories.
mkdir -p bin include lib libexec meta /var/lib/pfs
die() {
    echo "build: $*" >&2
    exit 1
}
[ -f makedefs ] && [ -f postfix-install ] || die "this is no source tree of Postfix: no makedefs and postfix-install in it"

# What configures it, this script included; everything else make(1) sees by itself.
configuration=$(cat "$0" makedefs Makefile.in src/*/Makefile.in debian/rules debian/control 2>/dev/null | sha256sum)
if [ "$(cat .pfs-configured 2>/dev/null)" != "$configuration" ]; then
    rm -f .pfs-configured
    if [ ! -e /var/lib/pfs/build-dependencies ] ||
        [ "$(cat /var/lib/pfs/build-dependencies)" != "$(sha256sum debian/control 2>/dev/null)" ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 0755 /usr/sbin/policy-rc.d
        apt-get update -qq
        if [ -f debian/control ]; then
            apt-get install -y -qq --no-install-recommends build-essential
            apt-get build-dep -y -qq --no-install-recommends ./
        else
            apt-get install -y -qq --no-install-recommends build-essential m4 libssl-dev libsasl2-dev libpcre2-dev \
                libdb-dev liblmdb-dev libcdb-dev libicu-dev
        fi
        sha256sum debian/control >/var/lib/pfs/build-dependencies 2>/dev/null || :
    fi
    # Objects depend on conf/makedefs.out, which is written anew.
    if [ -e Makefile.init ]; then cp Makefile.init Makefile; fi
    if grep -q '^override_dh_auto_configure:' debian/rules 2>/dev/null; then
        # Optimising at link time would build everything anew after each change.
        DEB_BUILD_OPTIONS="optimize=-lto nodoc nocheck" debian/rules override_dh_auto_configure
    else
        pcre=
        if grep -q pcre2 src/util/dict_pcre.c; then pcre=-DHAS_PCRE=2; fi
        # The header of NIS is in none of these packages.
        make makefiles shared=yes dynamicmaps=yes pie=yes DEBUG= OPT=-O2 \
            daemon_directory=/usr/lib/postfix/sbin shlib_directory=/usr/lib/postfix \
            CCARGS="-DUSE_TLS -DUSE_SASL_AUTH -DUSE_CYRUS_SASL -I/usr/include/sasl -DHAS_LMDB -DHAS_CDB -DNO_NIS $pcre" \
            AUXLIBS="-lssl -lcrypto -lsasl2" AUXLIBS_LMDB=-llmdb AUXLIBS_CDB=-lcdb AUXLIBS_PCRE="${pcre:+-lpcre2-8}"
    fi
    echo "$configuration" >.pfs-configured
fi
make -j"$jobs"

rm -rf "$result"
mkdir -p "$result"
sh postfix-install -non-interactive install_root="$result" tempdir=/tmp >/dev/null

# Every shared library that it uses and that the caller may lack.
find "$result" -type f -perm -u+x -exec ldd {} + 2>/dev/null |
    sed -n 's/^.*=> \(\/[^ ]*\) (.*/\1/p' | sort -u | grep -v "^$result\|/libpostfix-\|/postfix-" >"$result/libraries" || :
