# Makes the installer of dist\mcp-gateway-desktop for Windows; it ends up in dist\. NSIS must be there (makensis).
# With CERTIFICATE (a .pfx file) and CERTIFICATE_PASSWORD, programs and installer are signed.
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")
$name = "mcp-gateway-desktop"
$version = (& "dist\$name\docker-mcp.exe" version).Trim()
$output = "dist\$name-$version-installer.exe"

function Sign([string[]] $files) {
    if (-not $env:CERTIFICATE) { return }
    signtool sign /f $env:CERTIFICATE /p $env:CERTIFICATE_PASSWORD /fd SHA256 /tr http://timestamp.digicert.com /td SHA256 @files
    if ($LASTEXITCODE) { throw "signtool failed" }
}

Sign @("dist\$name\$name.exe", "dist\$name\docker-mcp.exe")
makensis -V2 -WX "-DVERSION=$version" "-DSOURCE=$PWD\dist\$name" "-DICON=$PWD\build\icons\$name.ico" `
    "-DOUTPUT=$PWD\$output" installers\windows\installer.nsi
if ($LASTEXITCODE) { throw "makensis failed" }
Sign @($output)
Write-Output $output
