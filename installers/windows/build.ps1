# An .msi in dist/, on Windows. Signed if the environment has both:
#   WINDOWS_CERTIFICATE            a code signing certificate with its key, PKCS#12, base64
#   WINDOWS_CERTIFICATE_PASSWORD   of that file
# else not signed: SmartScreen warns about it.
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")
$python = if ($env:PYTHON) { $env:PYTHON } else { "python" }

if (-not $env:WINDOWS_CERTIFICATE) {
    & $python -m installers.everywhere build windows app --adhoc-sign
    exit $LASTEXITCODE
}

$file = New-TemporaryFile
try {
    [IO.File]::WriteAllBytes($file, [Convert]::FromBase64String($env:WINDOWS_CERTIFICATE))
    $password = ConvertTo-SecureString $env:WINDOWS_CERTIFICATE_PASSWORD -AsPlainText -Force
    $certificate = Import-PfxCertificate -FilePath $file -CertStoreLocation Cert:\CurrentUser\My -Password $password
} finally {
    Remove-Item $file
}
try {
    & $python -m installers.everywhere build windows app --identity $certificate.Thumbprint --file-digest sha256 --timestamp-url http://timestamp.digicert.com --timestamp-digest sha256
    $code = $LASTEXITCODE
} finally {
    Remove-Item "Cert:\CurrentUser\My\$($certificate.Thumbprint)" -DeleteKey
}
exit $code
