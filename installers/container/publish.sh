#!/usr/bin/env bash
# Builds the container image for amd64 and arm64 and pushes it: publish.sh IMAGE REF
#   REF refs/tags/v1.2.3   IMAGE:1.2.3 and IMAGE:latest
#   REF refs/heads/main    IMAGE:latest
#   anything else          built, not pushed
# Needs docker with buildx, and to be logged in. TAGS_ONLY=1 prints what it would push.
set -euo pipefail
image=$1 ref=$2
case $ref in
    refs/tags/v*) tags=("$image:${ref#refs/tags/v}" "$image:latest") ;;
    refs/heads/main) tags=("$image:latest") ;;
    *) tags=() ;;
esac
if [ -n "${TAGS_ONLY:-}" ]; then
    [ ${#tags[@]} -eq 0 ] || printf '%s\n' "${tags[@]}"
    exit 0
fi
cd "$(dirname "$0")/../.."
words=(--file installers/container/Containerfile --platform linux/amd64,linux/arm64)
for tag in "${tags[@]}"; do words+=(--tag "$tag"); done
[ ${#tags[@]} -eq 0 ] || words+=(--push)
docker run --rm --privileged docker.io/tonistiigi/binfmt --install arm64
docker buildx create --use --name itsjustintv 2>/dev/null || docker buildx use itsjustintv
docker buildx build "${words[@]}" .
