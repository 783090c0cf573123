# Signs files by WINDOWS_SIGN_COMMAND, a program with its arguments to which the files' names are added, as services have it
# that keep the key (Azure Trusted Signing, SignPath, KeyLocker): since June 2023 no public authority gives a key away as a
# file. Else with the certificate in WINDOWS_CERTIFICATE (base64 of a .pfx) and its password. Ends with 1 where it cannot.
# usage: sign.ps1 FILE...   Never run here: there is no Windows and no certificate.
$ErrorActionPreference = "Stop"
if ($env:WINDOWS_SIGN_COMMAND) {
  $program, $options = $env:WINDOWS_SIGN_COMMAND -split " "
  & $program @options @args
  exit $LASTEXITCODE
}
$pfx = Join-Path ([IO.Path]::GetTempPath()) ("fireside-" + [Guid]::NewGuid() + ".pfx")
try {
  [IO.File]::WriteAllBytes($pfx, [Convert]::FromBase64String($env:WINDOWS_CERTIFICATE))
  $tools = Get-ChildItem "${env:ProgramFiles(x86)}\Windows Kits\10\bin\*\x64\signtool.exe" | Sort-Object FullName
  & $tools[-1].FullName sign /f $pfx /p $env:WINDOWS_CERTIFICATE_PASSWORD /fd sha256 /tr http://timestamp.digicert.com /td sha256 $args
  if ($LASTEXITCODE) { exit 1 }
} finally {
  Remove-Item $pfx -ErrorAction SilentlyContinue
}
