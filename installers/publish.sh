#!/usr/bin/env bash
# From a folder of bundles to a release: publish.sh TAG FOLDER. Adds the SBOM, signs everything (RELEASE_KEY, see sign.py),
# verifies it as a stranger would, and makes a draft release of it with GitHub's `gh`. A person publishes the draft.
# With DRY_RUN=1 all but the last step.
set -euo pipefail
tag=$1 folder=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

"$PYTHON" -m installers.release "$tag" >/dev/null
cp build/sbom.cdx.json "$folder/itsjustintv-desktop-${tag#v}.cdx.json"
if [ -n "${WINDOWS_SIGNED:-}" ]; then
    "$PYTHON" -m installers.authenticode "$folder"/*.msi
fi
# A release's page turns ~ in the name of a file into a dot, and the sums would name a file that nobody can download.
for file in "$folder"/*~*; do
    [ ! -e "$file" ] || mv "$file" "${file//\~/.}"
done
"$PYTHON" -m installers.sign "$folder"
"$PYTHON" -m installers.sign --verify "$folder" --key "$folder/itsjustintv.asc"
"$PYTHON" -m installers.release "$tag" >build/notes.md
if [ -n "${DRY_RUN:-}" ]; then
    echo "not published: $(find "$folder" -type f | wc -l) files"
    exit 0
fi
gh release create "$tag" --draft --verify-tag --title "itsjustintv ${tag#v}" --notes-file build/notes.md "$folder"/*
