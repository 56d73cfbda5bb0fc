# A Debian release with its Postfix; BASE is debian:RELEASE-slim, or a bootstrapped base that has the packages.
ARG BASE
FROM ${BASE}
COPY peers.sh prepare.sh /var/lib/pfs/
RUN command -v postconf >/dev/null \
    || { apt-get update \
      && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postfix openssl ca-certificates \
          libsasl2-modules nsd unbound ldnsutils \
      && sh /var/lib/pfs/peers.sh \
      && rm -rf /var/lib/apt/lists/*; }
RUN sh /var/lib/pfs/prepare.sh
