#!/usr/bin/env bash
# From a folder of bundles to a release: publish.sh TAG FOLDER. Adds the SBOM, signs everything (RELEASE_KEY, see sign.py),
# verifies it as a stranger would, and makes a draft release of it with GitHub's `gh`. A person publishes the draft.
# A bundle that calls itself unsigned stops it, unless ALLOW_UNSIGNED=1; the notes then name it. With DRY_RUN=1 all but the
# last step. build/update (make update-manifest) goes along: it tells installed programs of the version, carries signatures of
# its own, and is renewed without the rest. A tag that is not just v1.2.3, such as v1.2.3rc1, becomes a pre-release: it
# is never GitHub's latest, and no installed program is told of it.
set -euo pipefail
tag=$1 folder=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

"$PYTHON" -m installers.release "$tag" >/dev/null
if [[ $tag =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
    more=(build/update/latest.json build/update/latest.json.sig)
else
    more=(--prerelease)
fi
if [ -z "${DRY_RUN:-}" ] && [ "${more[0]}" != --prerelease ] && ! [ -s build/update/latest.json.sig ]; then
    echo "build/update/latest.json and its signature are missing: make update-manifest" >&2
    exit 1
fi
cp build/sbom.cdx.json "$folder/itsjustintv-desktop-${tag#v}.cdx.json"
for file in "$folder"/*.msi "$folder"/*-unsigned.*; do
    case $file in
        *'*'*) ;; # there is none
        *-unsigned.*)
            if [ "${ALLOW_UNSIGNED:-}" != 1 ]; then
                echo "$(basename "$file") is not signed. ALLOW_UNSIGNED=1 releases it all the same." >&2
                exit 1
            fi
            ;;
        *) "$PYTHON" -m installers.authenticode "$file" ;;
    esac
done
# A release's page turns ~ in the name of a file into a dot, and the sums would name a file that nobody can download.
for file in "$folder"/*~*; do
    [ ! -e "$file" ] || mv "$file" "${file//\~/.}"
done
"$PYTHON" -m installers.sign "$folder"
"$PYTHON" -m installers.sign --verify "$folder" --key "$folder/itsjustintv.asc"
"$PYTHON" -m installers.release "$tag" "$folder" >build/notes.md
if [ -n "${DRY_RUN:-}" ]; then
    echo "not published: $(find "$folder" -type f | wc -l) files"
    exit 0
fi
gh release create "$tag" --draft --verify-tag --title "itsjustintv ${tag#v}" --notes-file build/notes.md \
    "$folder"/* "${more[@]}"
