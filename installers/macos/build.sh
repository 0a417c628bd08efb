#!/usr/bin/env bash
# A .dmg in dist/, on a Mac, signed and notarized. The environment must have:
#   MACOS_CERTIFICATE            a "Developer ID Application" certificate with its key, PKCS#12, base64
#   MACOS_CERTIFICATE_PASSWORD   of that file
#   MACOS_TEAM_ID, MACOS_APPLE_ID, MACOS_APP_PASSWORD   for notarization (an app-specific password)
# Without a certificate it stops, unless ALLOW_UNSIGNED=1: then the .dmg is signed ad hoc and its name says -unsigned. It
# opens on the Mac that built it, elsewhere only after a permission in the system's settings.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}

if [ -z "${MACOS_CERTIFICATE:-}" ]; then
    if [ "${ALLOW_UNSIGNED:-}" != 1 ]; then
        echo "There is no MACOS_CERTIFICATE to sign with. ALLOW_UNSIGNED=1 builds one that says it is unsigned." >&2
        exit 1
    fi
    "$PYTHON" -m installers.everywhere build macOS app -p dmg --adhoc-sign
    for image in dist/*.dmg; do mv "$image" "${image%.dmg}-unsigned.dmg"; done
    exit 0
fi
: "${MACOS_CERTIFICATE_PASSWORD:?is missing}" "${MACOS_TEAM_ID:?is missing}" "${MACOS_APPLE_ID:?is missing}" \
    "${MACOS_APP_PASSWORD:?is missing}"

work=$(mktemp -d)
keychain="$work/release.keychain-db"
password=$(openssl rand -hex 24)
before=() # the person's own keychains, whose paths may have spaces
while IFS= read -r line; do
    line=${line#"${line%%[![:space:]]*}"} line=${line#\"}
    before+=("${line%\"}")
done < <(security list-keychains -d user)
default=$(security default-keychain -d user | sed -e 's/^[[:space:]]*"//' -e 's/"$//')
undo() {
    security default-keychain -d user -s "$default" || true
    security list-keychains -d user -s ${before[@]+"${before[@]}"} || true
    security delete-keychain "$keychain" || true
    rm -rf "$work"
}
trap undo EXIT

security create-keychain -p "$password" "$keychain"
# Open until it is deleted: notarization may take longer than a lock's time.
security set-keychain-settings "$keychain"
security unlock-keychain -p "$password" "$keychain"
(umask 077 && printf '%s' "$MACOS_CERTIFICATE" | base64 --decode >"$work/certificate.p12")
security import "$work/certificate.p12" -k "$keychain" -P "$MACOS_CERTIFICATE_PASSWORD" -T /usr/bin/codesign
rm "$work/certificate.p12"
security set-key-partition-list -S apple-tool:,apple:,codesign: -s -k "$password" "$keychain" >/dev/null
security list-keychains -d user -s "$keychain" ${before[@]+"${before[@]}"}
# Briefcase asks `notarytool submit --keychain-profile NAME` and names no keychain, so notarytool looks in the default one.
security default-keychain -d user -s "$keychain"
identity=$(security find-identity -v -p codesigning "$keychain" | awk 'NR == 1 { print $2 }')
if ! [[ $identity =~ ^[0-9A-F]{40}$ ]]; then
    echo "MACOS_CERTIFICATE holds no valid identity to sign code with." >&2
    exit 1
fi

# The name under which Briefcase looks for what notarytool needs.
xcrun notarytool store-credentials "briefcase-macOS-$MACOS_TEAM_ID" --keychain "$keychain" \
    --apple-id "$MACOS_APPLE_ID" --team-id "$MACOS_TEAM_ID" --password "$MACOS_APP_PASSWORD"
# What is installed for the build needs none of it.
unset MACOS_CERTIFICATE MACOS_CERTIFICATE_PASSWORD MACOS_APPLE_ID MACOS_APP_PASSWORD
"$PYTHON" -m installers.everywhere build macOS app -p dmg --identity "$identity"
for image in dist/*.dmg; do
    xcrun stapler validate "$image"
    spctl --assess --type open --context context:primary-signature --verbose "$image"
done
