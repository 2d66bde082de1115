# Images of the server (the default) and of the agent: one executable each on a base without shell, package manager
# or root.
#
#   docker build --tag sallyport-server .
#   docker build --tag sallyport-agent --target agent .
#
# The base images are pinned by the digest of their multi-platform index. They are arguments, so that a mirror can
# replace them. .github/images/Dockerfile lists them again, for Dependabot.
ARG DENO_IMAGE=docker.io/denoland/deno:2.9.6@sha256:2014dc167ece617ef7e7ba40631ac2234c59e75ce693e7cc2dc2602b3c87859d
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f

FROM --platform=$BUILDPLATFORM ${DENO_IMAGE} AS compile
ARG TARGETARCH
# Shown by --version; the build has no access to the repository.
ARG SOURCE_COMMIT="unknown commit"
WORKDIR /src
COPY deno.json deno.lock ./
COPY shared shared
COPY agent agent
COPY server server
COPY docs docs
COPY scripts scripts
RUN set -eu; \
    case "${TARGETARCH:-amd64}" in \
      amd64) target=linux-x64 ;; \
      arm64) target=linux-arm64 ;; \
      *) echo "Cannot build for ${TARGETARCH}: only amd64 and arm64 are known" >&2; exit 1 ;; \
    esac; \
    SOURCE_COMMIT="${SOURCE_COMMIT}" deno task compile --target "${target}" --out /out; \
    mv "/out/agent-${target}" /out/agent; \
    mv "/out/server-${target}" /out/server

FROM ${BASE_IMAGE} AS agent
COPY --from=compile /out/agent /agent
# Clients outside the container cannot reach its loopback: require SALLYPORT_LOCAL_PROXY_AUTH, or publish the port on
# the host's loopback only.
ENV SALLYPORT_LOCAL_PROXY_HOST=0.0.0.0 \
    SALLYPORT_CERT_FILE=/certs/client.crt \
    SALLYPORT_KEY_FILE=/certs/client.key \
    SALLYPORT_CA_CERT_FILE=/certs/ca.crt
USER nonroot
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/agent"]

FROM ${BASE_IMAGE} AS server
COPY --from=compile /out/server /server
ENV SALLYPORT_CERT_FILE=/certs/server.crt \
    SALLYPORT_KEY_FILE=/certs/server.key \
    SALLYPORT_CA_CERT_FILE=/certs/ca.crt
# The health check below uses the health port on loopback. To publish it, set SALLYPORT_HEALTH_ADDR=0.0.0.0.
USER nonroot
EXPOSE 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=20s --start-period=30s --retries=5 CMD ["/server", "health"]
ENTRYPOINT ["/server"]
