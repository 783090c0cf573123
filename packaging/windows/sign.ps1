# Signs files with the certificate in WINDOWS_CERTIFICATE (base64 of a .pfx) and its password; ends with 1 where it cannot.
# usage: sign.ps1 FILE...   Never run here: there is no Windows and no certificate.
$ErrorActionPreference = "Stop"
$pfx = Join-Path ([IO.Path]::GetTempPath()) ("fireside-" + [Guid]::NewGuid() + ".pfx")
try {
  [IO.File]::WriteAllBytes($pfx, [Convert]::FromBase64String($env:WINDOWS_CERTIFICATE))
  $tools = Get-ChildItem "${env:ProgramFiles(x86)}\Windows Kits\10\bin\*\x64\signtool.exe" | Sort-Object FullName
  & $tools[-1].FullName sign /f $pfx /p $env:WINDOWS_CERTIFICATE_PASSWORD /fd sha256 /tr http://timestamp.digicert.com /td sha256 $args
  if ($LASTEXITCODE) { exit 1 }
} finally {
  Remove-Item $pfx -ErrorAction SilentlyContinue
}
