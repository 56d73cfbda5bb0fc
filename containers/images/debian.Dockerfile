# A Debian release with its Postfix; BASE is debian:RELEASE-slim, or a bootstrapped base that has the packages.
ARG BASE
FROM ${BASE}
RUN command -v postconf >/dev/null \
    || { apt-get update \
      && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postfix openssl ca-certificates \
      && rm -rf /var/lib/apt/lists/*; }
COPY prepare.sh /usr/share/pfs/prepare.sh
RUN sh /usr/share/pfs/prepare.sh
