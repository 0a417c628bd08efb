#!/usr/bin/env bash
# Builds the container image for amd64 and arm64 and pushes it: publish.sh IMAGE REF
#   REF refs/tags/v1.2.3      IMAGE:v1.2.3, IMAGE:1.2.3 and IMAGE:latest
#   REF refs/tags/v1.2.3rc1   IMAGE:v1.2.3rc1 and IMAGE:1.2.3rc1, as of every tag that is more than three numbers
#   REF refs/heads/main       IMAGE:latest
#   anything else             built, not pushed
# Needs docker with buildx and, on a machine of one kind, an emulator of the other (Debian package qemu-user-static).
# REGISTRY_USER and REGISTRY_TOKEN log in for the push alone; without them docker must be logged in already.
# TAGS_ONLY=1 prints what it would push.
set -euo pipefail
BUILDKIT=docker.io/moby/buildkit:buildx-stable-1@sha256:2f5adac4ecd194d9f8c10b7b5d7bceb5186853db1b26e5abd3a657af0b7e26ec
image=${1,,} ref=$2 # a registry takes no capitals; a repository's name may have some
case $ref in
    refs/tags/v*)
        version=${ref#refs/tags/v} tags=("$image:${ref#refs/tags/}" "$image:${ref#refs/tags/v}")
        if [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then tags+=("$image:latest"); fi
        ;;
    refs/heads/main) version=main tags=("$image:latest") ;;
    *) version=none tags=() ;;
esac
if [ -n "${TAGS_ONLY:-}" ]; then
    [ ${#tags[@]} -eq 0 ] || printf '%s\n' "${tags[@]}"
    exit 0
fi
cd "$(dirname "$0")/../.."
case $(uname -m) in
    x86_64) other=qemu-aarch64 ;;
    *) other=qemu-x86_64 ;;
esac
if [ ! -e "/proc/sys/fs/binfmt_misc/$other" ]; then
    echo "This machine cannot run programs of the other architecture. Install qemu-user-static." >&2
    exit 1
fi
words=(
    --file installers/container/Containerfile --platform "linux/amd64,linux/arm64"
    --label "org.opencontainers.image.version=$version"
)
[ -z "${GITHUB_REPOSITORY:-}" ] || words+=(--label "org.opencontainers.image.source=https://github.com/$GITHUB_REPOSITORY")
[ -z "${GITHUB_SHA:-}" ] || words+=(--label "org.opencontainers.image.revision=$GITHUB_SHA")
for tag in "${tags[@]}"; do words+=(--tag "$tag"); done
docker buildx create --use --name itsjustintv --driver-opt "image=$BUILDKIT" 2>/dev/null || docker buildx use itsjustintv
# Built before anybody is logged in: what runs in the build finds no token. The push then takes all from the cache.
docker buildx build "${words[@]}" .
if [ ${#tags[@]} -gt 0 ]; then
    if [ -n "${REGISTRY_TOKEN:-}" ]; then
        trap 'docker logout "${image%%/*}" >/dev/null' EXIT
        printf '%s' "$REGISTRY_TOKEN" | docker login "${image%%/*}" --username "$REGISTRY_USER" --password-stdin
    fi
    docker buildx build "${words[@]}" --push .
fi
