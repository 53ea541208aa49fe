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
if not "%~1"=="bench" goto named
if "%~2"=="" goto named
rem Before minutes of building: the names stand in the benchmarks' program.
set "names=all"
for %%n in (all -h --help) do if "%~2"=="%%n" goto named
for /f tokens^=2^ delims^=^" %%n in ('findstr /b /l /c:"    [" "%PLATFORM_HOME%\bench\PaymentPlatform.Bench\Program.cs"') do (
  if "%~2"=="%%n" goto named
  call set "names=%%names%% %%n"
)
echo There is no benchmark '%~2'. Choose one of: %names% 1>&2
exit /b 2
:named
where dotnet >nul 2>nul || (echo The .NET 10 SDK is needed: install it from https://dotnet.microsoft.com/download 1>&2& exit /b 1)
echo Building... 1>&2
dotnet build "%PLATFORM_HOME%\%target%" -c Release -v quiet --nologo -clp:NoSummary 1>&2 || exit /b 1
dotnet "%ArtifactsPath%\bin\PaymentPlatform.Standalone\release\PaymentPlatform.Standalone.dll" %*
exit /b %ERRORLEVEL%
