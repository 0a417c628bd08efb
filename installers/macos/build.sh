#!/usr/bin/env bash
# A .dmg in dist/, on a Mac. Signed and notarized if the environment has, all of them:
#   MACOS_CERTIFICATE            a "Developer ID Application" certificate with its key, PKCS#12, base64
#   MACOS_CERTIFICATE_PASSWORD   of that file
#   MACOS_TEAM_ID, MACOS_APPLE_ID, MACOS_APP_PASSWORD   for notarization (an app-specific password)
# else signed ad hoc: it opens on the Mac that built it, elsewhere by a right click and "Open".
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}

if [ -z "${MACOS_CERTIFICATE:-}" ]; then
    exec "$PYTHON" -m installers.everywhere build macOS app -p dmg --adhoc-sign
fi

work=$(mktemp -d)
keychain="$work/release.keychain-db"
password=$(openssl rand -hex 24)
before=$(security list-keychains -d user | tr -d '"')
# shellcheck disable=SC2086 # the list is words
trap 'security list-keychains -d user -s $before; security delete-keychain "$keychain" || true; rm -rf "$work"' EXIT

security create-keychain -p "$password" "$keychain"
security set-keychain-settings -lut 7200 "$keychain"
security unlock-keychain -p "$password" "$keychain"
printf '%s' "$MACOS_CERTIFICATE" | base64 --decode >"$work/certificate.p12"
security import "$work/certificate.p12" -k "$keychain" -P "$MACOS_CERTIFICATE_PASSWORD" -T /usr/bin/codesign
security set-key-partition-list -S apple-tool:,apple: -s -k "$password" "$keychain" >/dev/null
# shellcheck disable=SC2086
security list-keychains -d user -s "$keychain" $before
identity=$(security find-identity -v -p codesigning "$keychain" | awk 'NR == 1 { print $2 }')

# The name under which Briefcase looks for what notarytool needs.
xcrun notarytool store-credentials "briefcase-macOS-$MACOS_TEAM_ID" --keychain "$keychain" \
    --apple-id "$MACOS_APPLE_ID" --team-id "$MACOS_TEAM_ID" --password "$MACOS_APP_PASSWORD"
"$PYTHON" -m installers.everywhere build macOS app -p dmg --identity "$identity"
for image in dist/*.dmg; do
    xcrun stapler validate "$image"
    spctl --assess --type open --context context:primary-signature --verbose "$image"
done
