#!/usr/bin/env bash
# A .flatpak in dist/, installed for this user and seen to announce. Needs flatpak, flatpak-builder, what Qt loads from a
# system (make qt-deps), and as PYTHON one of the version of the runtime (installers/bundle.py). The runtime is downloaded
# from Flathub, whose key comes with its address.
set -euo pipefail
cd "$(dirname "$0")/../../.."
PYTHON=${PYTHON:-python3}
ID=$("$PYTHON" -c 'from installers import template; print(template.app_id())')

"$PYTHON" -m installers.everywhere build linux flatpak
flatpak install --user --noninteractive --reinstall dist/*.flatpak
flatpak run "$ID" demo --headless --seconds 8
