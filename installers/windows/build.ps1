# An .msi in dist/, on Windows, signed. The environment must have both:
#   WINDOWS_CERTIFICATE            a code signing certificate with its key, PKCS#12, base64
#   WINDOWS_CERTIFICATE_PASSWORD   of that file
# Without a certificate it stops, unless ALLOW_UNSIGNED=1: then the .msi is not signed, its name says -unsigned, and
# SmartScreen warns about it.
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")
$python = if ($env:PYTHON) { $env:PYTHON } else { "python" }

if (-not $env:WINDOWS_CERTIFICATE) {
    if ($env:ALLOW_UNSIGNED -ne "1") {
        [Console]::Error.WriteLine("There is no WINDOWS_CERTIFICATE to sign with. ALLOW_UNSIGNED=1 builds one that says it is unsigned.")
        exit 1
    }
    & $python -m installers.everywhere build windows app --adhoc-sign
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    (Get-ChildItem dist\*.msi) | Rename-Item -NewName { $_.BaseName + "-unsigned.msi" }
    exit 0
}
if (-not $env:WINDOWS_CERTIFICATE_PASSWORD) {
    [Console]::Error.WriteLine("WINDOWS_CERTIFICATE_PASSWORD is missing.")
    exit 1
}

$file = New-TemporaryFile
try {
    [IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($env:WINDOWS_CERTIFICATE))
    $password = ConvertTo-SecureString $env:WINDOWS_CERTIFICATE_PASSWORD -AsPlainText -Force
    $certificate = Import-PfxCertificate -FilePath $file -CertStoreLocation Cert:\CurrentUser\My -Password $password
} finally {
    Remove-Item $file
    # What is installed for the build needs neither.
    Remove-Item Env:WINDOWS_CERTIFICATE, Env:WINDOWS_CERTIFICATE_PASSWORD
}
try {
    & $python -m installers.everywhere build windows app --identity $certificate.Thumbprint --file-digest sha256 --timestamp-url http://timestamp.digicert.com --timestamp-digest sha256
    $code = $LASTEXITCODE
} finally {
    Remove-Item "Cert:\CurrentUser\My\$($certificate.Thumbprint)" -DeleteKey
}
exit $code
