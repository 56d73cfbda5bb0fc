#!/bin/sh
# For `git bisect run` in a repository with the source of Postfix:
#
#   git bisect start BAD GOOD
#   git bisect run /path/to/git-bisect.sh 'sni/miss'                  # bad: the case fails
#   git bisect run /path/to/git-bisect.sh 'sni/miss' 'TLS session'    # bad: a witness says these words, whatever else fails
#
# Postfix is built over Debian 13; BASE names another one. What cannot be built or started is skipped (125); a scenario that is
# wrong ends the search (129).
set -u
exec pfs run "$1" ${2:+--want "$2"} --bisect --quiet --baseline none \
    --target "bisected=source:$(git rev-parse --show-toplevel)@${BASE:-debian-13}"
