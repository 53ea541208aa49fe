@echo off
rem The one door: platform run ^| test ^| bench ^| faults ... (each answers --help). Builds what is needed, then hands over.
setlocal
set "PLATFORM_HOME=%~dp0"
set "PLATFORM_HOME=%PLATFORM_HOME:~0,-1%"
set "UseAspire=false"
if not defined ArtifactsPath set "ArtifactsPath=%PLATFORM_HOME%\artifacts\standalone"
set "target=PaymentPlatform.Standalone\PaymentPlatform.Standalone.csproj"
if "%~1"=="test" set "target=PaymentPlatform.Standalone.slnf"
if "%~1"=="bench" set "target=PaymentPlatform.Standalone.slnf"
if "%~1"=="faults" set "target=PaymentPlatform.Standalone.slnf"
where dotnet >nul 2>nul || (echo The .NET 10 SDK is needed: install it from https://dotnet.microsoft.com/download 1>&2& exit /b 1)
echo Building... 1>&2
dotnet build "%PLATFORM_HOME%\%target%" -c Release -v quiet --nologo -clp:NoSummary 1>&2 || exit /b 1
dotnet "%ArtifactsPath%\bin\PaymentPlatform.Standalone\release\PaymentPlatform.Standalone.dll" %*
exit /b %ERRORLEVEL%
